// Who is logged in. The session itself is a cookie that scripts cannot read.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema, setCsrfToken } from "@/api/client";
import { ApiError } from "@/api/error";
import { sessionKey } from "@/api/queries";

export type Me = Schema<"Me">;

/** The user; `data` is null when nobody is logged in. */
export function useSession() {
  return useQuery({
    queryKey: sessionKey,
    queryFn: whoAmI,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    // Without an answer nothing else can be shown: it is asked for until there is one.
    refetchInterval: ({ state }) => (state.status === "error" ? 5_000 : false),
  });
}

/** Whether the user may do everything. Pages are shown to those who are logged in only. */
export function useIsAdmin(): boolean {
  return useSession().data?.role === "admin";
}

async function whoAmI(): Promise<Me | null> {
  try {
    const me = await ask(api.GET("/api/me"));
    setCsrfToken(me.csrf_token);
    return me;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: Schema<"Credentials">) => ask(api.POST("/api/login", { body: credentials })),
    onSuccess: ({ user }) => {
      setCsrfToken(user.csrf_token);
      client.setQueryData(sessionKey, user);
    },
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.POST("/api/logout")),
    // Nothing that this user saw stays in memory, or in the tab.
    onSettled: () => {
      window.sessionStorage.clear();
      client.setQueryData(sessionKey, null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    },
  });
}
