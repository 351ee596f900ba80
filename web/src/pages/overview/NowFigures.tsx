// The figures that say how it goes: now, and in the last day.

import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import { Sparkline } from "@/components/charts/Sparkline";
import { StatCard, StatCards } from "@/components/StatCard";
import { useFormat } from "@/format/format";
import type { Now } from "./useNow";

export function NowFigures({ status, now }: { status: Schema<"StatusView">; now: Now }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { requests } = status;
  const success = requests.success_rate_24h;
  const latency = requests.latency_ms;
  const tone =
    success === null || success === undefined || success >= 0.99
      ? undefined
      : success >= 0.95
        ? ("warn" as const)
        : ("bad" as const);
  const ms = (value: number | null | undefined) =>
    value === null || value === undefined ? "–" : format.latency(value);
  return (
    <StatCards>
      <StatCard
        label={t("now.rate")}
        value={t("now.perMinute", { number: format.number(now.lastMinute) })}
        detail={
          now.inFlight === null
            ? t("now.lastHour", { number: format.compact(requests.last_hour) })
            : t("now.inFlight", { count: now.inFlight, number: format.number(now.inFlight) })
        }
        picture={<Sparkline values={now.perSecond} />}
      />
      <StatCard
        label={t("now.success")}
        value={success === null || success === undefined ? "–" : format.percent(success)}
        tone={tone}
        detail={
          now.failedLastMinute === null
            ? t("now.lastDay")
            : t("now.failedNow", { number: format.number(now.failedLastMinute) })
        }
      />
      <StatCard
        label={t("now.latency")}
        value={ms(latency.p50)}
        detail={t("now.percentiles", { p95: ms(latency.p95), p99: ms(latency.p99) })}
      />
      <StatCard
        label={t("now.requests")}
        value={format.compact(requests.last_24h)}
        detail={t("now.lastHour", { number: format.compact(requests.last_hour) })}
      />
      <StatCard label={t("now.tokens")} value={format.compact(requests.tokens_24h)} detail={t("now.lastDay")} />
      <StatCard label={t("now.cost")} value={format.usd(requests.cost_usd_24h)} detail={t("now.priced")} />
    </StatCards>
  );
}
