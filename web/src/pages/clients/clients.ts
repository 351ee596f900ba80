// Client keys as this page asks for them.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { useLiveBatches, useLivePolling } from "@/api/events";
import { type List, type ListQuery, refreshLists, useList } from "@/api/list";
import type { Tone } from "@/components/StatusBadge";

export type Client = Schema<"ClientView">;
export type ClientInput = Schema<"ClientInput">;

export const filterNames = ["q", "enabled", "owner"] as const;

export type ClientState = "active" | "expired" | "disabled";
export const toneOf: Record<ClientState, Tone> = { active: "ok", expired: "bad", disabled: "off" };

/** How it stands at an instant. */
export function stateOf(client: Client, now: number): ClientState {
  if (!client.enabled) return "disabled";
  return client.expires_at && new Date(client.expires_at).getTime() <= now ? "expired" : "active";
}

/** What the configuration or the environment states is changed there. */
export function isFixed(client: Client): boolean {
  return client.source !== "admin";
}

const usageEvery = 2_000;

/** The client keys that match. Those whose callers come meanwhile show what they use. */
export function useClients(query: ListQuery<"/api/allowed_keys">): List<Client> {
  const client = useQueryClient();
  const refetchEvery = useLivePolling(20_000);
  useLiveBatches(
    "request",
    (requests) => {
      void refreshLists(client, "/api/allowed_keys");
      for (const id of new Set(requests.map(({ client_id }) => client_id))) {
        void client.invalidateQueries({ queryKey: ["client", id] });
      }
    },
    usageEvery,
  );
  return useList("/api/allowed_keys", query, { refetchEvery });
}

export function useClient(id: number | null) {
  return useQuery({
    queryKey: ["client", id],
    queryFn: ({ signal }) => ask(api.GET("/api/allowed_keys/{id}", { params: { path: { id: id ?? 0 } }, signal })),
    enabled: id !== null,
    refetchInterval: useLivePolling(15_000),
  });
}

/** Replaces everything about a client key but its secret. */
export function putClient(id: number, body: ClientInput): Promise<Client> {
  return ask(api.PUT("/api/allowed_keys/{id}", { params: { path: { id } }, body }));
}

/** What is said of a client key, so that it can be said again with a change. */
export function inputOf(client: Client): ClientInput {
  const { id: _id, masked_key: _masked, source: _source, created_at: _created, usage: _usage, ...input } = client;
  return input;
}

/** Who a client key may belong to; only administrators may ask. */
export function useUserNames(isAsked = true): string[] {
  const { data } = useQuery({
    queryKey: ["users", "names"],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/users", { params: { query: { limit: 500, sort: "username" } }, signal })),
    staleTime: 10_000,
    enabled: isAsked,
    select: ({ items }) => items.map(({ username }) => username),
  });
  return data ?? [];
}

/** The models that are known, as requests name them. */
export function useModelNames(): string[] {
  const { data } = useQuery({
    queryKey: ["models", "names"],
    queryFn: ({ signal }) => ask(api.GET("/api/models", { params: { query: { limit: 500 } }, signal })),
    staleTime: 60_000,
    select: ({ items }) => items.map(({ id }) => id),
  });
  return data ?? [];
}

/** A model that this client key may ask for, for an example. */
export function exampleModel(allowed: string[], known: string[]): string {
  const usual = known.find((id) => id.endsWith("/gemini-flash-latest")) ?? known[0] ?? "google/gemini-flash-latest";
  const [pattern] = allowed;
  if (!pattern) return usual;
  if (!pattern.endsWith("*")) return pattern;
  const beginning = pattern.slice(0, -1);
  const fits = (id: string) => id.startsWith(beginning) || id.slice(id.indexOf("/") + 1).startsWith(beginning);
  return known.find(fits) ?? usual;
}
