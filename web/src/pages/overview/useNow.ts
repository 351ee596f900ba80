// The figures of this moment: from the live stream while there is one, else from the last status.

import { useState } from "react";
import type { Schema } from "@/api/client";
import { useLiveEvent } from "@/api/events";

const kept = 60;

export type Now = {
  keys: Schema<"KeyCounts">;
  /** Requests that ended in the last minute. */
  lastMinute: number;
  failedLastMinute: number | null;
  inFlight: number | null;
  /** Requests of each of the last seconds, as far as they were watched. */
  perSecond: number[];
};

const nothing = { total: 0, active: 0, cooling: 0, invalid: 0, disabled: 0 };

export function useNow(status: Schema<"StatusView"> | undefined): Now {
  const [live, setLive] = useState<Schema<"Live"> | null>(null);
  const [perSecond, setPerSecond] = useState<number[]>([]);
  useLiveEvent("stats", (stats) => {
    setLive(stats);
    setPerSecond((before) => [...before, stats.requests_last_second].slice(-kept));
  });
  return {
    keys: live?.keys ?? status?.keys ?? nothing,
    lastMinute: live?.requests_last_minute ?? status?.requests.last_minute ?? 0,
    failedLastMinute: live?.failed_last_minute ?? null,
    inFlight: live?.in_flight ?? null,
    perSecond,
  };
}
