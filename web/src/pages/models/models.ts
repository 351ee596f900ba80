// Keys and models of one provider, as this page asks for them, and what the cell says where they meet.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask, type Schema } from "@/api/client";
import { useLivePolling } from "@/api/events";
import { type ListQuery, useList } from "@/api/list";

export type Standing = Schema<"KeyStanding">;
export type Model = Schema<"ModelAtProvider"> & { model: string };
type ModelOfKey = Schema<"ModelOfKey">;

/** How a key stands for a model. The first three are of the key, whatever the model. */
export type CellState = "disabled" | "invalid" | "keyCooling" | "locked" | "unavailable" | "cooling" | "usable";

export type Cell = {
  state: CellState;
  /** When it may be used again. */
  until: string | undefined;
  reason: string | undefined;
  requestsToday: number;
};

/** What is said of the key as such goes before what is said of it with the model. */
export function cellOf(key: Standing, model: string): Cell {
  const pair = key.models.find((known) => known.model === model);
  const requestsToday = pair?.requests_today ?? 0;
  const ofKey = { until: key.cooling_until ?? undefined, reason: key.reason ?? undefined, requestsToday };
  if (key.status === "disabled") return { state: "disabled", ...ofKey };
  if (key.status === "invalid") return { state: "invalid", ...ofKey };
  if (key.status === "cooling") return { state: "keyCooling", ...ofKey };
  if (!pair?.cooling_until) return { state: "usable", until: undefined, reason: undefined, requestsToday };
  return { state: stateOf(pair), until: pair.cooling_until, reason: pair.reason ?? undefined, requestsToday };
}

function stateOf({ reason }: ModelOfKey): CellState {
  if (reason === "quota_daily") return "locked";
  return reason === "model_unavailable" ? "unavailable" : "cooling";
}

/** Those that are the model's doing, and are forgotten with it. */
export function isOfModel(state: CellState): boolean {
  return state === "locked" || state === "unavailable" || state === "cooling";
}

export function useProviders() {
  return useQuery({
    queryKey: ["providers"],
    queryFn: ({ signal }) => ask(api.GET("/api/providers", { params: { query: { limit: 500 } }, signal })),
    staleTime: 60_000,
    select: ({ items }) => items,
  });
}

export type KeyQuery = Pick<ListQuery<"/api/keys/standings">, "provider" | "q" | "status">;

export function useStandings(query: KeyQuery, isOn: boolean) {
  return useList("/api/keys/standings", query, { refetchEvery: useLivePolling(4_000), enabled: isOn });
}

/** The models of a provider: those first that something is known of, what is cooling before what is not. */
export function useModels(provider: string | undefined) {
  const refetchEvery = useLivePolling(4_000);
  const query = { limit: 500, ...(provider && { provider }) };
  const list = useList("/api/models", query, { refetchEvery, enabled: provider !== undefined });
  const models = useMemo(() => {
    const all = list.rows.flatMap(({ model, providers }) =>
      providers.filter((at) => at.provider === provider).map((at) => ({ ...at, model })),
    );
    return all.sort(inOrder);
  }, [list.rows, provider]);
  return { ...list, models };
}

/** An order that does not change while requests come in, but when something begins to cool or is asked for at all. */
function inOrder(one: Model, other: Model): number {
  const rank = ({ cooling, requests_today }: Model) => (cooling > 0 ? 0 : requests_today > 0 ? 1 : 2);
  return rank(one) - rank(other) || one.model.localeCompare(other.model, "en");
}

/** What is called so on this page. */
export function nameOf(key: Standing): string {
  return key.label ?? key.masked_key;
}
