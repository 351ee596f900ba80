// The picture of TimeChart: lines, stacked areas or bars, and the values under the pointer. Drawn here rather than by a
// library of charts, which would be a third of everything that a browser loads first.

import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ChartPoint } from "@/api/figures";
import classes from "./Plot.module.css";
import { type Band, bandsOf, type Frame, labelled, labelWidth, runs, type Scale, scaleOf, ticksOf } from "./scale";

export type ChartLine = { name: string; label: string; color: string };
export type ChartKind = "stacked" | "bars" | "lines";

type PlotProps = {
  points: ChartPoint[];
  lines: ChartLine[];
  kind: ChartKind;
  format: (value: number) => string;
  /** A time below the picture, and in full. */
  tick: (time: number) => string;
  full: (time: number) => string;
  /** Whether the last point is of a time that has not ended: its amount still grows. */
  isGrowing?: boolean;
};

const height = 190;
const widestBar = 22;

export function Plot({ points, lines, kind, format, tick, full, isGrowing = false }: PlotProps) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number | null>(null);
  const drawn = useMemo(() => {
    const bands = bandsOf(
      points,
      lines.map(({ name }) => name),
      kind !== "lines",
    );
    const widest = Math.max(...ticksOf(bands).map((value) => labelWidth(format(value))));
    // Bars are as wide as they are: the first and the last need room beside their place.
    const aside = kind === "bars" ? widestBar / 2 : 0;
    const frame = { width, height, left: Math.max(34, widest + 12) + aside, right: 14 + aside, top: 8, bottom: 22 };
    return { frame, bands, scale: scaleOf(points, bands, frame) };
  }, [points, lines, kind, width, format]);
  const { frame, bands, scale } = drawn;
  const follow = (event: PointerEvent<HTMLDivElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    setAt(nearest(points, scale, x));
  };
  const pointed = at === null ? undefined : points[at];
  const colored = bands.map((band, index) => ({ band, color: lines[index]?.color ?? "" }));
  // Where a layer adds nothing, the line of the one below it is seen: no failures are no red line.
  const inOrder = kind === "stacked" ? colored.toReversed() : colored;
  return (
    <div
      ref={ref}
      className={classes.plot}
      onPointerMove={follow}
      onPointerDown={follow}
      onPointerLeave={() => setAt(null)}
    >
      {width > 0 && (
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          <Grid frame={frame} scale={scale} format={format} edge={frame.left - (kind === "bars" ? widestBar / 2 : 0)} />
          {labelled(points.length, width - frame.left).map((index) => {
            const point = points[index];
            return (
              point && (
                <text key={point.time} x={scale.x(point.time)} y={height - 5} className={classes.time}>
                  {tick(point.time)}
                </text>
              )
            );
          })}
          {pointed && (
            <line
              className={classes.pointer}
              x1={scale.x(pointed.time)}
              x2={scale.x(pointed.time)}
              y1={frame.top}
              y2={height - frame.bottom}
            />
          )}
          {inOrder.map(({ band, color }) => {
            const shared = { band, points, scale, color, isGrowing };
            return kind === "bars" ? (
              <Bars key={band.name} {...shared} width={frame.width - frame.left} />
            ) : (
              <Line key={band.name} {...shared} isFilled={kind === "stacked"} />
            );
          })}
        </svg>
      )}
      {pointed && (
        <div
          className={classes.tip}
          data-side={scale.x(pointed.time) > width / 2 ? "left" : "right"}
          style={{ left: scale.x(pointed.time) }}
        >
          <strong>
            {isGrowing && at === points.length - 1
              ? t("chart.soFar", { time: full(pointed.time) })
              : full(pointed.time)}
          </strong>
          {lines.map(({ name, label, color }) => (
            <span key={name} className={classes.tipLine}>
              <i style={{ background: color }} />
              {label}
              <b>{pointed[name] === null || pointed[name] === undefined ? "–" : format(pointed[name])}</b>
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

type GridProps = { frame: Frame; scale: Scale; format: (value: number) => string; edge: number };

/** Lines across, and beside their `edge` the values that they stand for. */
function Grid({ frame, scale, format, edge }: GridProps) {
  return scale.ticks.map((value) => (
    <g key={value}>
      <line className={classes.grid} x1={edge} x2={frame.width - frame.right} y1={scale.y(value)} y2={scale.y(value)} />
      <text className={classes.value} x={edge - 8} y={scale.y(value) + 3.5}>
        {format(value)}
      </text>
    </g>
  ));
}

type ShapeProps = { band: Band; points: ChartPoint[]; scale: Scale; color: string; isGrowing: boolean };

function Line({ band, points, scale, color, isFilled, isGrowing }: ShapeProps & { isFilled: boolean }) {
  return runs(band).map((run) => {
    const place = (index: number, end: "from" | "to") =>
      `${scale.x(points[index]?.time ?? 0).toFixed(1)},${scale.y(band.spans[index]?.[end] ?? 0).toFixed(1)}`;
    const above = run.map((index) => place(index, "to"));
    const below = run.toReversed().map((index) => place(index, "from"));
    const [only] = run;
    if (run.length === 1 && only !== undefined) {
      const [x, y] = place(only, "to").split(",");
      return <circle key={only} cx={x} cy={y} r={2.5} fill={color} />;
    }
    // What is not over yet always looks like a fall: it is drawn as what is still open.
    const isOpen = isGrowing && run.at(-1) === points.length - 1;
    const stroke = {
      fill: "none",
      stroke: color,
      strokeWidth: 1.75,
      strokeLinejoin: "round",
      strokeLinecap: "round",
    } as const;
    return (
      <g key={run[0]}>
        {isFilled && <polygon points={[...above, ...below].join(" ")} fill={color} opacity={0.2} />}
        <polyline points={(isOpen ? above.slice(0, -1) : above).join(" ")} {...stroke} />
        {isOpen && <polyline points={above.slice(-2).join(" ")} {...stroke} strokeDasharray="2 4" />}
      </g>
    );
  });
}

function Bars({ band, points, scale, color, width, isGrowing }: ShapeProps & { width: number }) {
  const bar = Math.max(1, Math.min(widestBar, (0.7 * width) / Math.max(1, points.length)));
  return band.spans.map((span, index) => {
    const point = points[index];
    if (!span || !point || span.to === span.from) return null;
    const [top, end] = [scale.y(span.to), scale.y(span.from)];
    return (
      <rect
        key={point.time}
        x={scale.x(point.time) - bar / 2}
        y={top}
        width={bar}
        height={Math.max(1, end - top)}
        rx={Math.min(2, bar / 3)}
        fill={color}
        opacity={isGrowing && index === points.length - 1 ? 0.5 : 1}
      />
    );
  });
}

/** The point whose time is nearest to a place in the picture. */
function nearest(points: ChartPoint[], scale: Scale, x: number): number | null {
  let best: number | null = null;
  points.forEach((point, index) => {
    const held = best === null ? undefined : points[best];
    if (!held || Math.abs(scale.x(point.time) - x) < Math.abs(scale.x(held.time) - x)) best = index;
  });
  return best;
}
