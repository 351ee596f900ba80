// Live sessions as this page asks for them: looked at again and again, and ended.

import { useQueryClient } from "@tanstack/react-query";
import { api, ask, type Schema } from "@/api/client";
import { ApiError } from "@/api/error";
import { type List, refreshLists, useList } from "@/api/list";

export type Session = Schema<"LiveSessionView">;

/** Their counts change with every word; nothing tells of that but asking. */
const lookEvery = 2_000;

/** The sessions that are open now. */
export function useSessions(q: string | undefined, sort: string): List<Session> {
  return useList("/api/live_sessions", { q: q ?? "", sort }, { refetchEvery: lookEvery });
}

/** Ends a session, for both sides. */
export function useEnd(): (session: Session) => Promise<void> {
  const client = useQueryClient();
  return async ({ id }) => {
    try {
      await ask(api.DELETE("/api/live_sessions/{id}", { params: { path: { id } } }));
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
    await refreshLists(client, "/api/live_sessions");
  };
}
