// Provider keys as this page asks for them.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask, type Schema } from "@/api/client";
import { useLiveBatches, useLivePolling } from "@/api/events";
import { type List, type ListQuery, patchRows, useList } from "@/api/list";
import type { Selection } from "@/components/useSelection";

export type Key = Schema<"KeyView">;
/** What is asked for of the list, and of bulk calls. */
export type KeyFilter = Omit<ListQuery<"/api/keys">, "limit" | "sort">;
export type KeySelection = Selection<number>;

export const statuses = ["active", "cooling", "invalid", "disabled"] as const;
export const sources = ["admin", "config", "env", "file"] as const;
/** What can be filtered by, and is in the address. */
export const filterNames = ["q", "provider", "status", "source", "owner", "project", "reason"] as const;

/** Keys that a file or the environment states are changed there: here they can be switched, tested and reset. */
export function isFixed(key: Key): boolean {
  return key.source !== "admin";
}

/** What a key is called. */
export function nameOf(key: Key): string {
  return key.label ?? key.masked_key;
}

/** The keys that match; those that change meanwhile are changed where they stand. */
export function useKeys(query: ListQuery<"/api/keys">): List<Key> {
  const client = useQueryClient();
  const refetchEvery = useLivePolling(60_000, 10_000);
  useLiveBatches("key", (events) => {
    const changed = new Map(events.map((key) => [key.id, key]));
    patchRows(client, "/api/keys", (row) => changed.get(row.id) ?? row);
    for (const id of changed.keys()) void client.invalidateQueries({ queryKey: ["key", id] });
  });
  return useList("/api/keys", query, { refetchEvery });
}

/** One key with its models, without its secret. */
export function useKey(id: number | null) {
  return useQuery({
    queryKey: ["key", id],
    queryFn: ({ signal }) => ask(api.GET("/api/keys/{id}/standing", { params: { path: { id: id ?? 0 } }, signal })),
    enabled: id !== null,
    refetchInterval: 15_000,
  });
}

/** The key in full; the activity log has it as REVEAL. */
export async function reveal(id: number): Promise<string> {
  const { key } = await ask(api.GET("/api/keys/{id}", { params: { path: { id } } }));
  return key;
}

/** The body of a bulk call: the keys that are chosen. */
export function chosen(selection: KeySelection, filter: KeyFilter): { ids: number[] } | { filter: KeyFilter } {
  return selection.isAll ? { filter } : { ids: [...selection.ids] };
}

export type Preview = {
  total: number | undefined;
  fixed: number | undefined;
  byStatus: { [status in Key["status"]]?: number };
};

/** What is chosen, counted: by state, and how many of them files or the environment state. */
export function usePreview(selection: KeySelection, filter: KeyFilter, rows: Key[], isOn: boolean): Preview {
  const counted = useQuery({
    queryKey: ["keys", "preview", filter],
    queryFn: () => countMatching(filter),
    enabled: isOn && selection.isAll,
    staleTime: 0,
  });
  const own = useMemo(() => {
    const picked = rows.filter(({ id }) => selection.ids.has(id));
    const count = (is: (key: Key) => boolean) => picked.filter(is).length;
    const byStatus = Object.fromEntries(statuses.map((status) => [status, count((key) => key.status === status)]));
    return { total: selection.ids.size, fixed: count(isFixed), byStatus };
  }, [rows, selection.ids]);
  return selection.isAll ? (counted.data ?? { total: undefined, fixed: undefined, byStatus: {} }) : own;
}

async function countMatching(filter: KeyFilter): Promise<Preview> {
  const total = async (more: KeyFilter) => {
    const query = { ...filter, ...more, limit: 1 } as ListQuery<"/api/keys">;
    const page = await ask(api.GET("/api/keys", { params: { query } }));
    return page.total ?? 0;
  };
  const among = async <Value extends string>(values: readonly Value[], name: "status" | "source") =>
    Promise.all(
      values.map(
        async (value) => [value, !filter[name] || filter[name] === value ? await total({ [name]: value }) : 0] as const,
      ),
    );
  const [all, byStatus, bySource] = await Promise.all([total({}), among(statuses, "status"), among(sources, "source")]);
  const fixed = bySource.reduce((sum, [source, count]) => (source === "admin" ? sum : sum + count), 0);
  return { total: all, fixed, byStatus: Object.fromEntries(byStatus) };
}
