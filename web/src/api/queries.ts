// How what was asked is kept, how long it holds, and what becomes of errors wherever they happen.

import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./error";

/** Who is logged in; null: nobody. */
export const sessionKey = ["session"] as const;

export function newQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    // The session ended: every page leads to the login page when nobody is there.
    if (error instanceof ApiError && error.status === 401) client.setQueryData(sessionKey, null);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => count < 2 && error instanceof ApiError && error.isPassing,
        retryDelay: (count) => Math.min(1000 * 2 ** count, 5_000),
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
