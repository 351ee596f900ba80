// What an answer took: time, tokens, money, and whose key.

import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, ask } from "@/api/client";
import { useFormat } from "@/format/format";
import type { Figures } from "./chat";
import { cutOff } from "./converse";
import classes from "./playground.module.css";

/** The log is written behind requests: its line is asked for so often, a second apart. */
const patience = 8;

export function FiguresLine({ figures }: { figures: Figures }) {
  const { t } = useTranslation("playground");
  const format = useFormat();
  const cost = useCost(figures.requestId);
  const { provider, key, attempts = 1, firstTokenMs, tookMs, tokens, finish, requestId } = figures;
  const parts = [
    provider && key && t("figures.by", { provider, key }),
    attempts > 1 && t("figures.attempts", { count: attempts, number: format.number(attempts) }),
    firstTokenMs !== undefined && t("figures.first", { time: format.latency(firstTokenMs) }),
    tookMs !== undefined && t("figures.took", { time: format.latency(tookMs) }),
    tokens && t("figures.tokens", { in: format.number(tokens.prompt), out: format.number(tokens.output) }),
    tokens && tokens.reasoning > 0 && t("figures.reasoning", { number: format.number(tokens.reasoning) }),
    cost !== null && format.usd(cost),
    finish && ending(finish, t),
  ];
  return (
    <ul className={classes.figures}>
      {parts.map((part) => part && <li key={part}>{part}</li>)}
      {requestId && (
        <li>
          <Anchor component={Link} to={`/requests?request=${requestId}`} inherit>
            {t("figures.details")}
          </Anchor>
        </li>
      )}
    </ul>
  );
}

/** What the request cost, once that is written down; null: not yet, or the model has no price. */
function useCost(id: string | undefined): number | null {
  const { data } = useQuery({
    queryKey: ["request", id, "cost"],
    queryFn: ({ signal }) => ask(api.GET("/api/request_logs/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: patience,
    retryDelay: 1000,
    select: ({ cost_usd }) => cost_usd ?? null,
  });
  return data ?? null;
}

/** How an answer ended that did not simply end. */
function ending(finish: string, t: ReturnType<typeof useTranslation<"playground">>["t"]) {
  if (/^stop$/i.test(finish)) return null;
  if (finish === cutOff) return t("figures.cutOff");
  return /^(length|max_tokens)$/i.test(finish) ? t("figures.tooLong") : t("figures.ended", { why: finish });
}
