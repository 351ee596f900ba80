// What belongs to projects of the providers, as this page asks for it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { ApiError } from "@/api/error";
import { useLivePolling } from "@/api/events";
import { type List, refreshLists, useList } from "@/api/list";

export type Resource = Schema<"ResourceView">;

export const filterNames = ["q", "provider", "collection", "client"] as const;
export type Filter = { [name in (typeof filterNames)[number]]?: string };

/** Kinds as callers make them most; of others Google's own word is shown. */
export const collections = [
  "files",
  "cachedContents",
  "batches",
  "operations",
  "fileSearchStores",
  "tunedModels",
  "interactions",
  "auth_tokens",
] as const;

/** Those that match, the newest first; new ones come, and those that expire go. */
export function useResources({ client, ...filter }: Filter): List<Resource> {
  const refetchEvery = useLivePolling(10_000, 5_000);
  return useList("/api/resources", { ...filter, ...(client ? { client_id: Number(client) } : {}) }, { refetchEvery });
}

/** The client keys that may have made something. */
export function useClients() {
  return useQuery({
    queryKey: ["resources", "clients"],
    queryFn: ({ signal }) => ask(api.GET("/api/allowed_keys", { params: { query: { limit: 500 } }, signal })),
    staleTime: 60_000,
    select: ({ items }) => items,
  });
}

/** Forgets one here; it stays at the provider. */
export function useForget(): (resource: Resource) => Promise<void> {
  const client = useQueryClient();
  return async ({ provider, name }) => {
    await goneIsFine(ask(api.DELETE("/api/resources", { params: { query: { provider, name } } })));
    await refreshLists(client, "/api/resources");
  };
}

/** It may have expired, or been deleted, while somebody thought about it. */
async function goneIsFine(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}
