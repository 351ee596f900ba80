// The providers that the configuration names.

import { useQuery } from "@tanstack/react-query";
import { api, ask } from "./client";

export function useProviders() {
  return useQuery({
    queryKey: ["providers"],
    queryFn: ({ signal }) => ask(api.GET("/api/providers", { params: { query: { limit: 500 } }, signal })),
    staleTime: 60_000,
    select: ({ items }) => items,
  });
}
