// Where values lie in a picture. Pure numbers: what is drawn is in Plot.tsx.

import type { ChartPoint } from "@/api/figures";

export type Frame = { width: number; height: number; left: number; right: number; top: number; bottom: number };

export type Scale = { x: (time: number) => number; y: (value: number) => number; ticks: number[] };

/** A line, stacked on those before it or not: for each point where it begins and ends; null where there is nothing. */
export type Band = { name: string; spans: ({ from: number; to: number } | null)[] };

export function bandsOf(points: ChartPoint[], names: string[], isStacked: boolean): Band[] {
  const base = points.map(() => 0);
  return names.map((name) => ({
    name,
    spans: points.map((point, index) => {
      const value = point[name];
      if (value === null || value === undefined) return null;
      const from = isStacked ? (base[index] ?? 0) : 0;
      if (isStacked) base[index] = from + value;
      return { from, to: from + value };
    }),
  }));
}

export function scaleOf(points: ChartPoint[], bands: Band[], frame: Frame): Scale {
  const ticks = ticksOf(bands);
  const top = ticks.at(-1) || 1;
  const first = points[0]?.time ?? 0;
  const time = Math.max(1, (points.at(-1)?.time ?? 0) - first);
  const width = frame.width - frame.left - frame.right;
  const height = frame.height - frame.top - frame.bottom;
  return {
    x: (at) => frame.left + ((at - first) / time) * width,
    y: (value) => frame.top + height - (value / top) * height,
    ticks,
  };
}

/** The values that are written beside the picture. */
export function ticksOf(bands: Band[]): number[] {
  return niceTicks(Math.max(0, ...bands.flatMap(({ spans }) => spans.map((span) => span?.to ?? 0))));
}

/** From 0 to at least the largest value, in steps that people count in. */
export function niceTicks(most: number, count = 4): number[] {
  if (!(most > 0)) return [0];
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((nice) => raw <= nice * power * (1 + 1e-9)) ?? 10) * power;
  const steps = Math.ceil(most / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** About how wide a label is, in pixels: Chinese is wider. */
export function labelWidth(label: string): number {
  return [...label].reduce((width, letter) => width + (letter > "\u2e80" ? 11.5 : 6.5), 0);
}

/** The points whose times are written below the picture: evenly apart, and no closer than there is room for. */
export function labelled(count: number, width: number, room = 84): number[] {
  if (count === 0) return [];
  const every = Math.max(1, Math.ceil(count / Math.max(1, Math.floor(width / room))));
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every);
}

/** The parts of a band without gaps, as indexes. */
export function runs({ spans }: Band): number[][] {
  const parts: number[][] = [];
  spans.forEach((span, index) => {
    if (!span) return;
    if (index > 0 && spans[index - 1]) parts.at(-1)?.push(index);
    else parts.push([index]);
  });
  return parts;
}
