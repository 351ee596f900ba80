// People who can log in, as this page asks for them.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { refreshLists, useList } from "@/api/list";

export type User = Schema<"UserView">;
export type Role = Schema<"RoleName">;

export const roles: Role[] = ["member", "admin"];

export function useUsers(query: { q?: string; sort?: string }) {
  return useList("/api/users", query, { refetchEvery: 30_000 });
}

/** Changes a user; what is left out stays. */
export function useChangeUser() {
  const queries = useQueryClient();
  return async (id: number, body: Schema<"UserChange">) => {
    const user = await ask(api.PATCH("/api/users/{id}", { params: { path: { id } }, body }));
    void refreshLists(queries, "/api/users", "/api/activity_logs");
    return user;
  };
}

/** How many client keys and keys are a user's. */
export function useOwned(username: string) {
  return useQuery({
    queryKey: ["users", "owned", username],
    queryFn: async ({ signal }) => {
      const query = { owner: username, limit: 1 };
      const [clients, keys] = await Promise.all([
        ask(api.GET("/api/allowed_keys", { params: { query }, signal })),
        ask(api.GET("/api/keys", { params: { query }, signal })),
      ]);
      return { clients: clients.total ?? 0, keys: keys.total ?? 0 };
    },
    staleTime: 0,
  });
}

const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** A password that nobody guesses, of letters that are not taken for each other. */
export function newPassword(length = 20): string {
  // Bytes that would favour the first letters are passed over.
  const fair = 256 - (256 % letters.length);
  let password = "";
  while (password.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < fair && password.length < length) password += letters[byte % letters.length];
    }
  }
  return password;
}
