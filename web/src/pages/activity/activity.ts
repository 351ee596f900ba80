// The activity log as this page asks for it.

import { type ListQuery, useList } from "@/api/list";
import type { Tone } from "@/components/StatusBadge";
import type { Line } from "./changes";

export type Query = ListQuery<"/api/activity_logs">;

export const filterNames = ["q", "actor", "action", "resource", "resource_id", "from", "to", "range"] as const;

export const actions = [
  "ADD",
  "UPDATE",
  "DELETE",
  "IMPORT",
  "EXPORT",
  "REVEAL",
  "SELECT",
  "UNSELECT",
  "FAILOVER_EXHAUSTED",
  "RESET",
  "TEST",
  "RETIRE",
  "RECOVER",
  "LOGIN",
  "LOGIN_THROTTLED",
  "LOGOUT",
  "BAN",
  "UNBAN",
  "RELOAD",
  "ROTATE_MASTER_KEY",
  "CANCEL",
] as const;

export const resources = [
  "keys",
  "allowed_keys",
  "users",
  "settings",
  "prices",
  "bans",
  "jobs",
  "resources",
  "live_sessions",
] as const;

/** What an operator should see first: what is lost, what was handed out, what stopped working. */
export function toneOf(action: string): Tone {
  if (/^(DELETE|RETIRE|FAILOVER_EXHAUSTED|LOGIN_THROTTLED)$/.test(action)) return "bad";
  if (/^(EXPORT|REVEAL|BAN|UNSELECT|CANCEL)$/.test(action)) return "warn";
  if (/^(ADD|IMPORT|RECOVER|UNBAN)$/.test(action)) return "ok";
  return /^(LOGIN|LOGOUT)$/.test(action) ? "off" : "info";
}

/** Where the thing is looked at, if there is such a place. */
export function placeOf({ resource, resource_id }: Line): string | null {
  if (!resource_id) return null;
  const id = encodeURIComponent(resource_id);
  switch (resource) {
    case "keys":
      return `/keys?key=${id}`;
    case "allowed_keys":
      return `/clients?client=${id}`;
    case "users":
      return `/users?user=${id}`;
    default:
      return null;
  }
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** When a range such as `24h` begins, to the minute, so that the same is asked for a while. */
export function beginOf(range: string | undefined, now: number): string | undefined {
  const [, count, unit] = range?.match(/^(\d+)([mhd])$/) ?? [];
  if (!count || !unit) return undefined;
  const begin = now - Number(count) * units[unit as keyof typeof units];
  return new Date(Math.floor(begin / 60_000) * 60_000).toISOString();
}

const newEvery = 4_000;

/** The lines that match; new ones come by themselves. */
export function useActivity(query: Query) {
  return useList("/api/activity_logs", query, { refetchEvery: newEvery });
}
