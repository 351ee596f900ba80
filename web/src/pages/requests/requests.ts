// The request log as this page asks for it: filters of the address, pages, one request.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask, type Schema } from "@/api/client";
import { ApiError } from "@/api/error";
import type { ListQuery } from "@/api/list";
import type { UrlState } from "@/app/urlState";
import type { TimeRange } from "@/components/TimeRangePicker";

export type Request = Schema<"RequestView">;
export type Detail = Schema<"RequestDetail">;
export type Attempt = Schema<"AttemptView">;
export type RequestQuery = Omit<ListQuery<"/api/request_logs">, "limit" | "sort" | "format">;

/** What can be filtered by, and is in the address. */
export const filterNames = ["q", "status", "provider", "model", "client", "key"] as const;
/** Which time is looked at: one of the usual ranges, or from one instant to another. */
export const timeNames = ["range", "from", "to"] as const;

type Name = (typeof filterNames)[number] | (typeof timeNames)[number];
export type Filter = UrlState<Name>;

/** `failed` stands among the statuses: it is what people look for first. */
export const statuses = [
  "failed",
  "2xx",
  "4xx",
  "5xx",
  "401",
  "403",
  "404",
  "429",
  "499",
  "502",
  "503",
  "504",
] as const;

const lengths: { [range: string]: number } = {
  "15m": 900_000,
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
  "30d": 2_592_000_000,
};

export function timeOf({ range, from, to }: Filter): TimeRange {
  return from && to ? { from, to } : { range: range ?? "" };
}

/** What the API is asked for. A range ends now, so where it begins is worked out once for each filter. */
export function useRequestQuery(filter: Filter): RequestQuery {
  const { q, status, provider, model, client, key, range, from, to } = filter;
  return useMemo(() => {
    const length = lengths[range ?? ""];
    const begin = from ?? (length && new Date(Date.now() - length).toISOString());
    return {
      ...(q && { q }),
      ...(provider && { provider }),
      ...(model && { model }),
      ...(isNumber(client) && { client: Number(client) }),
      ...(isNumber(key) && { key: Number(key) }),
      ...(status === "failed" ? { failed: true } : status && { status }),
      ...(begin && { from: begin }),
      ...(from && to && { to }),
    };
  }, [q, status, provider, model, client, key, range, from, to]);
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text);
}

/** Whether a request that has just ended is one of those that are asked for. A text in its attempts is not looked for. */
export function matches(request: Request, query: RequestQuery): boolean {
  const same = (wanted: string | number | undefined, actual: string | number | null | undefined) =>
    wanted === undefined || wanted === actual;
  const text = query.q?.toLowerCase() ?? "";
  const texts = [request.model, request.endpoint, request.error];
  return (
    same(query.provider, request.provider) &&
    same(query.model, request.model) &&
    same(query.client, request.client_id) &&
    same(query.key, request.key_id) &&
    (!query.failed || Boolean(request.error)) &&
    hasStatus(request.status, query.status) &&
    (!query.to || request.time < query.to) &&
    (text === "" || texts.some((name) => name?.toLowerCase().includes(text)))
  );
}

function hasStatus(status: number, wanted: string | undefined): boolean {
  if (!wanted) return true;
  return wanted.endsWith("xx") ? String(status)[0] === wanted[0] : String(status) === wanted;
}

/** One request with its attempts. It is written down a moment after it has ended: one that is not there yet may come. */
export function useRequest(id: string | null) {
  return useQuery({
    queryKey: ["request", id],
    queryFn: ({ signal }) => ask(api.GET("/api/request_logs/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: (count, error) => count < 4 && error instanceof ApiError && (error.status === 404 || error.isPassing),
    retryDelay: 600,
  });
}
