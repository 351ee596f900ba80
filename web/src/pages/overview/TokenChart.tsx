// Tokens over time. What providers still remembered of earlier prompts stands apart: it is cheaper, and the more there is of
// it the more it pays to send prompts that begin alike to one project.

import { useTranslation } from "react-i18next";
import { type ChartPoint, useChart } from "@/api/figures";
import { TimeChart } from "@/components/charts/TimeChart";
import { useFormat } from "@/format/format";

const metrics = ["prompt_tokens", "cached_tokens", "output_tokens"] as const;

export function TokenChart({ range }: { range: string }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { points, stepSeconds, isPending, error, retry } = useChart(metrics, range);
  const sum = (metric: (typeof metrics)[number]) =>
    points.reduce((total, { [metric]: value }) => total + (value ?? 0), 0);
  const [input, cached, output] = metrics.map(sum) as [number, number, number];
  const number = format.compact(input + output);
  return (
    <TimeChart
      title={t("charts.tokens")}
      aside={
        cached > 0
          ? t("charts.totalCached", { number, share: format.percent(cached / input) })
          : t("charts.total", { number })
      }
      points={points.map(parted)}
      lines={[
        { name: "fresh", label: t("charts.freshInput"), color: "var(--km-chart-5)" },
        { name: "cached", label: t("charts.cachedInput"), color: "var(--km-chart-2)" },
        { name: "output", label: t("charts.output"), color: "var(--km-chart-6)" },
      ]}
      kind="stacked"
      format={format.compact}
      stepSeconds={stepSeconds}
      isPending={isPending}
      error={error}
      onRetry={retry}
    />
  );
}

/** Input counts what was cached, too. */
function parted({ time, prompt_tokens, cached_tokens, output_tokens }: ChartPoint): ChartPoint {
  const cached = cached_tokens ?? 0;
  return { time, fresh: (prompt_tokens ?? 0) - cached, cached, output: output_tokens ?? 0 };
}
