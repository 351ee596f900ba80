// With which client key the playground calls. The dashboard's session opens the admin API and nothing else, so it takes a
// key here as in any program. It stays in memory; in this tab over a reload only where its holder says so.

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, ask } from "@/api/client";
import { CallError, call, failureOf } from "./converse";
import { useKept } from "./useKept";

export type Access = { key: string | null; isKept: boolean };

export const noAccess: Access = { key: null, isKept: false };

export function useAccess() {
  return useKept("access", noAccess, { inTab: (access) => (access.isKept ? access : null) });
}

/** A model that callers can use, and who offers it: a provider, or `keymux` for an alias. */
export type Model = { id: string; owned_by: string };

/** What the holder of a key can use. Without a key it works where `server.auth` is `open`. */
export function useModels({ key }: Access) {
  return useQuery({
    queryKey: ["playground", "models", key],
    queryFn: async ({ signal }) => {
      // A call that can only be refused would stand among the failures of callers.
      if (!key && (await needsKey())) throw new CallError({ status: 401, message: "" });
      const response = await call("v1/models", key, { signal });
      if (!response.ok) throw new CallError(await failureOf(response));
      return ((await response.json()) as { data: Model[] }).data;
    },
    staleTime: 60_000,
    retry: false,
  });
}

async function needsKey() {
  const { auth } = await ask(api.GET("/api/status"));
  return auth === "required";
}

/** How long a key lasts that is made here. */
const lifetime = 24 * 60 * 60 * 1000;

/** Makes a client key for this. It is the user's, and ends by itself. */
export function useNewClient(username: string, onMade: (key: string) => void) {
  return useMutation({
    mutationFn: () => {
      const now = Date.now();
      const name = `playground ${username} ${new Date(now).toISOString().slice(0, 19)}`;
      const expires_at = new Date(now + lifetime).toISOString();
      return ask(api.POST("/api/allowed_keys", { body: { name, owner: username, expires_at } }));
    },
    onSuccess: ({ key }) => onMade(key),
  });
}
