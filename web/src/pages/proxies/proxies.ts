// The ways on which requests leave, as this page asks for them. Nothing tells of their changes, so they are asked for often.

import { useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { type List, patchRows, refreshLists, useList } from "@/api/list";
import type { Tone } from "@/components/StatusBadge";

/** `direct`, or a proxy. */
export type Way = Schema<"EgressView">;
export type Status = Way["status"];

export const toneOf: Record<Status, Tone> = { healthy: "ok", untested: "info", failed: "bad", off: "off" };

/** In the address: the proxies that no list holds, but the configuration names. */
export const named = "-";

const refetchEvery = 5_000;
const limit = 500;

export function useWays(q = ""): List<Way> {
  return useList("/api/egress_proxies", { q, limit }, { refetchEvery });
}

export function isProxy({ kind }: Way): boolean {
  return kind !== "direct";
}

/** What a way is known by in the address and in the table. */
export function idOf({ id }: Way): string {
  return String(id ?? "direct");
}

/** The ways that were found in a list, or that the configuration names; all of them, if no source is said. */
export function ofSource(list: List<Way>, source: string | undefined): List<Way> {
  if (!source) return list;
  const rows = list.rows.filter((way) => isProxy(way) && (way.source ?? named) === source);
  return { ...list, rows, total: list.hasMore ? undefined : rows.length };
}

/** The part of its attempts that failed by the proxy; null: there was none. */
export function failureShare({ attempts, failures }: Pick<Way, "attempts" | "failures">): number | null {
  return attempts ? (failures ?? 0) / attempts : null;
}

const deeds = { check: "/api/egress_proxies/{id}/test", reset: "/api/egress_proxies/{id}/reset" } as const;

/** Checks a proxy now, or puts it back into use; gives how it stands then, and shows that wherever it is listed. */
export function useDeed(): (deed: keyof typeof deeds, id: number) => Promise<Way> {
  const client = useQueryClient();
  return async (deed, id) => {
    const way = await ask(api.POST(deeds[deed], { params: { path: { id } } }));
    patchRows(client, "/api/egress_proxies", (row) => (row.id === id ? way : row));
    void refreshLists(client, "/api/egress_proxies", "/api/activity_logs");
    return way;
  };
}
