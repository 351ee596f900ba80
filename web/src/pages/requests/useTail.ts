// The request log as it grows. New requests come in together, a few times a second at most; while somebody reads further
// down, has filtered, or has paused it, they wait and are counted.

import { useCallback, useEffect, useMemo, useState } from "react";
import { useLiveBatches, useLivePolling } from "@/api/events";
import { type List, useList } from "@/api/list";
import { matches, type Request, type RequestQuery } from "./requests";

/** So many wait; of more only the newest are kept, and the list is asked for again. */
const mostWaiting = 500;

export type Tail = {
  list: List<Request>;
  /** How many have come that are not shown. */
  waiting: number;
  showWaiting: () => void;
};

type New = { query: RequestQuery; shown: Request[]; waiting: Request[] };

export function useTail(query: RequestQuery, isFollowing: boolean): Tail {
  const polling = useLivePolling(60_000, 5_000);
  const list = useList("/api/request_logs", query, isFollowing ? { refetchEvery: polling } : {});
  const [fresh, setFresh] = useState<New>({ query, shown: [], waiting: [] });
  const own = fresh.query === query ? fresh : { query, shown: [], waiting: [] };
  useLiveBatches(
    "request",
    (events) => {
      const wanted = events.filter((request) => matches(request, query));
      if (wanted.length === 0) return;
      setFresh((before) => {
        const { shown, waiting } = before.query === query ? before : { shown: [], waiting: [] };
        return isFollowing
          ? { query, shown: newest([...wanted, ...shown]), waiting }
          : { query, shown, waiting: newest([...wanted, ...waiting]) };
      });
    },
    600,
  );

  const showWaiting = useCallback(() => {
    setFresh(({ query, shown, waiting }) => ({ query, shown: newest([...waiting, ...shown]), waiting: [] }));
  }, []);
  const hasWaiting = own.waiting.length > 0;
  useEffect(() => {
    if (isFollowing && hasWaiting) showWaiting();
  }, [isFollowing, hasWaiting, showWaiting]);

  const { refresh } = list;
  const isTooMany = own.waiting.length >= mostWaiting;
  const rows = useMemo(() => merged(own.shown, list.rows), [own.shown, list.rows]);
  const show = () => {
    showWaiting();
    // What was dropped is in the log.
    if (isTooMany) refresh();
  };
  return { list: { ...list, rows }, waiting: own.waiting.length, showWaiting: show };
}

/** Each request once, the newest first. */
export function merged(fresh: Request[], rows: Request[]): Request[] {
  if (fresh.length === 0) return rows;
  const known = new Set(rows.map(({ id }) => id));
  return [...fresh.filter(({ id }) => !known.has(id)), ...rows].sort(newestFirst);
}

function newest(requests: Request[]): Request[] {
  return requests.sort(newestFirst).slice(0, mostWaiting);
}

function newestFirst(one: Request, other: Request): number {
  return one.time < other.time ? 1 : one.time > other.time ? -1 : 0;
}
