// How it went: requests, latency, tokens and cost over the time that is looked at.

import { memo } from "react";
import { useTranslation } from "react-i18next";
import { type ChartPoint, useChart } from "@/api/figures";
import { TimeChart } from "@/components/charts/TimeChart";
import { useFormat } from "@/format/format";
import classes from "./overview.module.css";
import { TokenChart } from "./TokenChart";

const requestMetrics = ["requests", "failed"] as const;
const latencyMetrics = ["latency_p50", "latency_p95", "latency_p99"] as const;
const costMetrics = ["cost_usd"] as const;

export const Charts = memo(function Charts({ range }: { range: string }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const requests = useChart(requestMetrics, range);
  const latency = useChart(latencyMetrics, range);
  const cost = useChart(costMetrics, range);
  const sum = (points: ChartPoint[], names: readonly string[]) =>
    points.reduce((total, point) => total + names.reduce((of, name) => of + (point[name] ?? 0), 0), 0);
  return (
    <div className={classes.charts}>
      <TimeChart
        title={t("charts.requests")}
        aside={t("charts.total", { number: format.compact(sum(requests.points, ["requests"])) })}
        points={requests.points.map(({ time, requests: all, failed }) => ({
          time,
          good: (all ?? 0) - (failed ?? 0),
          failed: failed ?? 0,
        }))}
        lines={[
          { name: "good", label: t("charts.good"), color: "var(--km-chart-1)" },
          { name: "failed", label: t("charts.failed"), color: "var(--km-chart-bad)" },
        ]}
        kind="stacked"
        format={format.compact}
        stepSeconds={requests.stepSeconds}
        isPending={requests.isPending}
        error={requests.error}
        onRetry={requests.retry}
      />
      <TimeChart
        title={t("charts.latency")}
        points={latency.points}
        lines={[
          { name: "latency_p50", label: t("charts.p50"), color: "var(--km-chart-2)" },
          { name: "latency_p95", label: t("charts.p95"), color: "var(--km-chart-3)" },
          { name: "latency_p99", label: t("charts.p99"), color: "var(--km-chart-4)" },
        ]}
        kind="lines"
        format={format.latency}
        isPending={latency.isPending}
        error={latency.error}
        onRetry={latency.retry}
      />
      <TokenChart range={range} />
      <TimeChart
        title={t("charts.cost")}
        aside={t("charts.total", { number: format.usd(sum(cost.points, costMetrics)) })}
        points={cost.points}
        lines={[{ name: "cost_usd", label: t("charts.cost"), color: "var(--km-chart-2)" }]}
        kind="bars"
        format={format.usd}
        stepSeconds={cost.stepSeconds}
        isPending={cost.isPending}
        error={cost.error}
        onRetry={cost.retry}
      />
    </div>
  );
});
