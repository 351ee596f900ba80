// How keymux stands and stood: status, capacity, charts.

import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, ask, type Schema } from "./client";
import type { ApiError } from "./error";
import { useLiveness, useLivePolling } from "./events";
import type { paths } from "./schema";

type SeriesParams = NonNullable<paths["/api/stats/timeseries"]["get"]["parameters"]["query"]>;
export type Metric = NonNullable<SeriesParams["metric"]>;
export type GroupBy = NonNullable<SeriesParams["group_by"]>;

/** A point of a chart: its time, and a value for each line; null where there was nothing to measure. */
export type ChartPoint = { time: number; [line: string]: number | null };

export function useStatus() {
  const refetchInterval = useLivePolling(15_000);
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => ask(api.GET("/api/status", { signal })),
    refetchInterval,
  });
  // When the stream drops, whether keymux is still there is what matters most.
  const isDropped = useLiveness() === "reconnecting";
  const { refetch } = status;
  useEffect(() => {
    if (isDropped) void refetch();
  }, [isDropped, refetch]);
  return status;
}

export function useCapacity() {
  return useQuery({
    queryKey: ["capacity"],
    queryFn: ({ signal }) => ask(api.GET("/api/stats/capacity", { signal })),
    refetchInterval: 30_000,
  });
}

/** One figure over time; with `group_by` a line for each. */
export function useSeries(metric: Metric, range: string, group_by?: GroupBy, enabled = true) {
  return useQuery({ ...seriesQuery({ metric, range, ...(group_by ? { group_by } : {}) }), enabled });
}

/** Several figures over the same time, as the points of one chart: of all, or of one client key. */
export function useChart(metrics: readonly Metric[], range: string, client?: number) {
  const of = client === undefined ? {} : { client };
  const found = useQueries({ queries: metrics.map((metric) => seriesQuery({ metric, range, ...of })) });
  const answers = found.map(({ data }) => data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers are what matters, not the array that holds them
  const points = useMemo(() => merged(metrics, answers), answers);
  return {
    points,
    stepSeconds: answers[0]?.step_seconds,
    isPending: found.some(({ isPending }) => isPending),
    error: (found.find(({ error }) => error)?.error ?? null) as ApiError | null,
    retry: () => {
      for (const query of found) void query.refetch();
    },
  };
}

/** The sum of each line, the largest first. */
export function totals(series: Schema<"SeriesView"> | undefined): { group: string; total: number }[] {
  const lines = series?.lines ?? [];
  const sums = lines.map(({ group, points }) => ({
    group,
    total: points.reduce((sum, { value }) => sum + (value ?? 0), 0),
  }));
  return sums.filter(({ total }) => total > 0).sort((one, other) => other.total - one.total);
}

function seriesQuery(query: SeriesParams) {
  return {
    queryKey: ["series", query],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask(api.GET("/api/stats/timeseries", { params: { query }, signal })),
    refetchInterval: refreshOf(query.range ?? "24h"),
    placeholderData: (before: Schema<"SeriesView"> | undefined) => before,
  };
}

/** What is looked at from afar changes slowly. */
function refreshOf(range: string): number {
  if (range.endsWith("m")) return 10_000;
  return range.endsWith("h") ? 30_000 : 120_000;
}

function merged(metrics: readonly Metric[], answers: (Schema<"SeriesView"> | undefined)[]): ChartPoint[] {
  const points = new Map<string, ChartPoint>();
  answers.forEach((answer, index) => {
    const name = metrics[index];
    if (!name) return;
    for (const { time, value } of answer?.lines[0]?.points ?? []) {
      const point = points.get(time) ?? { time: new Date(time).getTime() };
      point[name] = value ?? null;
      points.set(time, point);
    }
  });
  return [...points.values()].sort((one, other) => one.time - other.time);
}
