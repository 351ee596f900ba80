// Figures over time: as a picture, in a sentence, and as a table for those who want the numbers.

import { ActionIcon, Skeleton, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconChartLine, IconTable } from "@tabler/icons-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ChartPoint } from "@/api/figures";
import { Panel } from "@/components/Panel";
import { ErrorState } from "@/components/states";
import { useFormat } from "@/format/format";
import { type ChartKind, type ChartLine, Plot } from "./Plot";
import classes from "./TimeChart.module.css";

type TimeChartProps = {
  title: string;
  /** The figure that sums it up, at the right of the title. */
  aside?: ReactNode;
  points: ChartPoint[];
  lines: ChartLine[];
  /** `stacked` areas add up; `bars` are for amounts per step; `lines` for what does not add up. */
  kind: ChartKind;
  format: (value: number) => string;
  /** How much time each point sums up: for amounts, of which the last grows until its time is over. */
  stepSeconds?: number | undefined;
  isPending?: boolean;
  error?: unknown;
  onRetry?: () => void;
};

export function TimeChart(props: TimeChartProps) {
  const { title, aside, points, lines, stepSeconds, isPending, error, onRetry } = props;
  const { t } = useTranslation();
  const [isTable, setIsTable] = useState(false);
  const summaryId = useId();
  const times = useTimeFormat(points);
  const hasValues = points.some((point) => lines.some(({ name }) => (point[name] ?? 0) !== 0));
  const begun = points.at(-1)?.time ?? 0;
  const isGrowing = stepSeconds !== undefined && begun + stepSeconds * 1000 > Date.now();
  const other = isTable ? t("chart.asChart") : t("chart.asTable");
  const head = (
    <span className={classes.aside}>
      {aside}
      <Tooltip label={other}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={`${other}: ${title}`}
          onClick={() => setIsTable(!isTable)}
        >
          {isTable ? <IconChartLine size={15} /> : <IconTable size={15} />}
        </ActionIcon>
      </Tooltip>
    </span>
  );
  return (
    <Panel title={title} aside={head}>
      {error && points.length === 0 ? (
        <ErrorState error={error} onRetry={onRetry} />
      ) : isPending && points.length === 0 ? (
        <Skeleton height={200} />
      ) : isTable ? (
        <PointTable {...props} />
      ) : (
        <figure className={classes.figure} aria-describedby={summaryId}>
          <div className={classes.picture} aria-hidden>
            {hasValues ? (
              <Plot {...props} {...times} isGrowing={isGrowing} />
            ) : (
              <div className={classes.nothing}>{t("chart.nothing")}</div>
            )}
          </div>
          <Legend lines={lines} />
          <VisuallyHidden component="figcaption" id={summaryId}>
            <Summary {...props} />
          </VisuallyHidden>
        </figure>
      )}
    </Panel>
  );
}

function Legend({ lines }: { lines: ChartLine[] }) {
  if (lines.length < 2) return null;
  return (
    <ul className={classes.legend} aria-hidden>
      {lines.map(({ name, label, color }) => (
        <li key={name}>
          <span style={{ background: color }} />
          {label}
        </li>
      ))}
    </ul>
  );
}

/** Each line in a sentence. */
function Summary({ points, lines, format }: TimeChartProps) {
  const { t } = useTranslation();
  return lines.map(({ name, label }) => {
    const values = points.map((point) => point[name]).filter((value) => value !== null && value !== undefined);
    const last = values.at(-1);
    if (last === undefined) return `${label}: ${t("chart.nothing")} `;
    const [min, max] = [Math.min(...values), Math.max(...values)].map(format);
    return `${t("chart.summary", { name: label, last: format(last), min, max })} `;
  });
}

function PointTable({ title, points, lines, format }: TimeChartProps) {
  const { t } = useTranslation();
  const times = useTimeFormat(points);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.tableScroller} aria-label={title} tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{t("chart.time")}</th>
            {lines.map(({ name, label }) => (
              <th key={name} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.time}>
              <th scope="row">{times.full(point.time)}</th>
              {lines.map(({ name }) => (
                <td key={name}>{point[name] === null || point[name] === undefined ? "–" : format(point[name])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const day = 86_400_000;

/** Times as short as the span allows. */
function useTimeFormat(points: ChartPoint[]) {
  const format = useFormat();
  const span = (points.at(-1)?.time ?? 0) - (points[0]?.time ?? 0);
  const tick = (time: number) => (span > 2 * day ? format.day(time) : format.time(time));
  return { tick, full: (time: number) => format.dayAndTime(time) };
}
