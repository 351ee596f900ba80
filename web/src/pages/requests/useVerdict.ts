// What became of a request and of its attempts, and why, in sentences.

import { useTranslation } from "react-i18next";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import type { Attempt, Request } from "./requests";

export function useVerdict(): (request: Request) => string {
  const { t } = useTranslation("requests");
  const reason = useReason();
  const format = useFormat();
  return ({ error, attempts, latency_ms }) => {
    const count = { count: attempts, number: format.number(attempts), took: format.latency(latency_ms) };
    if (!error) return t("verdict.ok", count);
    if (attempts === 0) return t("verdict.refused", { reason: reason(error) });
    return t("verdict.failed", { ...count, reason: reason(error) });
  };
}

const strategies = ["least_loaded", "round_robin", "random", "fill_first", "selected_first"];
const owners: { [text: string]: string } = {
  "owner's selected key": "ownersSelected",
  "owner's key": "owners",
  "brought by the caller": "brought",
  "began this upload": "upload",
};
const notes: { [text: string]: string } = {
  "probe after cooling": "probe",
  "last resort": "lastResort",
  "again: no other key": "again",
};

/** Why an attempt took its key; what there are no words for is shown as keymux writes it. */
export function useWhyThisKey(): (attempt: Attempt) => string {
  const { t } = useTranslation("requests");
  const format = useFormat();
  return ({ why_this_key: text }) => {
    const [choice = "", note] = text.split(", ");
    const [, strategy = "", among = ""] = choice.match(/^(\w+) of (\d+)$/) ?? [];
    const said = strategies.includes(strategy)
      ? t("chosen.among", {
          how: t(`strategy.${strategy}`),
          count: Number(among),
          number: format.number(Number(among)),
        })
      : owners[choice] && t(`chosen.${owners[choice]}`);
    if (!said) return text;
    return note && notes[note] ? `${said}; ${t(`note.${notes[note]}`)}` : said;
  };
}
