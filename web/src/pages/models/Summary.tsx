// What the grid comes to: how many models can be served, what is cooling, and when the next of it comes back.

import { useTranslation } from "react-i18next";
import { Countdown } from "@/components/Countdown";
import { StatCard, StatCards } from "@/components/StatCard";
import { useFormat } from "@/format/format";
import { nextPacificMidnight } from "@/format/pacific";
import type { Model } from "./models";

export function Summary({ models, isGoogle }: { models: Model[]; isGoogle: boolean }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const usable = models.filter(({ usable_keys }) => usable_keys > 0).length;
  const cooling = models.reduce((sum, model) => sum + model.cooling, 0);
  const requests = models.reduce((sum, model) => sum + model.requests_today, 0);
  const [next] = models.flatMap(({ next_reset_at }) => next_reset_at ?? []).sort();
  const reset = nextPacificMidnight(Date.now());
  return (
    <StatCards>
      <StatCard
        label={t("servable")}
        value={t("of", { part: format.number(usable), whole: format.number(models.length) })}
        tone={usable < models.length ? "warn" : "ok"}
      />
      <StatCard
        label={t("pairsCooling")}
        value={format.number(cooling)}
        detail={
          next && (
            <>
              {t("nextReset")} <Countdown to={next} />
            </>
          )
        }
      />
      <StatCard label={t("today")} value={format.compact(requests)} detail={t("sincePacific")} />
      {isGoogle && (
        <StatCard
          label={t("pacific")}
          value={<Countdown to={reset} />}
          detail={t("common:time.at", { time: format.time(reset) })}
        />
      )}
    </StatCards>
  );
}
