// The lists that proxies are found in, as this page asks for them.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { type List, refreshLists, useList } from "@/api/list";
import type { Tone } from "@/components/StatusBadge";

export type Source = Schema<"SourceView">;
/** How a list was read the last time. */
export type Reading = "read" | "unread" | "unreadable";

export const toneOfReading: Record<Reading, Tone> = { read: "ok", unread: "info", unreadable: "bad" };

/** Why entries are left out, the most telling first. */
export const leftOut = ["malformed", "unsupported", "out_of_reach", "repeated", "too_many"] as const;

const refetchEvery = 10_000;

export function useSources(): List<Source> {
  return useList("/api/egress_sources", {}, { refetchEvery });
}

/** Reads all lists now; it takes as long as the slowest of them. */
export function useReadAgain() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.POST("/api/egress_sources/refresh")),
    onSettled: () => refreshLists(client, "/api/egress_sources", "/api/egress_proxies"),
  });
}

export function readingOf({ ok }: Source): Reading {
  if (ok == null) return "unread";
  return ok ? "read" : "unreadable";
}

/** How many entries were left out, in all. */
export function countLeftOut({ left_out }: Source): number {
  return leftOut.reduce((sum, reason) => sum + left_out[reason], 0);
}
