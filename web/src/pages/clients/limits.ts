// The limits of a client key: what is used of each, and which one will be felt first.

import type { Schema } from "@/api/client";

export type LimitName = "rpm" | "rpd" | "tpm" | "tpd" | "concurrent" | "budget";

export type Limit = {
  name: LimitName;
  used: number;
  /** Undefined: as much as they like. */
  limit: number | undefined;
  /** When all of it is there again. */
  resetsAt: string | undefined;
};

const gauges = ["rpm", "tpm", "rpd", "tpd", "concurrent"] as const;

export function limitsOf(usage: Schema<"UsageView">): Limit[] {
  const { budget } = usage;
  return [
    ...gauges.map((name) => ({
      name,
      used: usage[name].used,
      limit: usage[name].limit ?? undefined,
      resetsAt: usage[name].resets_at ?? undefined,
    })),
    { name: "budget", used: budget.spent_usd, limit: budget.limit_usd ?? undefined, resetsAt: budget.resets_at },
  ];
}

/** The part that is used, from 0; undefined without a limit. */
export function partOf({ used, limit }: Limit): number | undefined {
  return limit === undefined ? undefined : used / limit;
}

/** The limit of which the largest part is used; undefined: there is none. */
export function tightest(usage: Schema<"UsageView">): Limit | undefined {
  const set = limitsOf(usage).filter(({ limit }) => limit !== undefined);
  return set.sort((one, other) => (partOf(other) ?? 0) - (partOf(one) ?? 0))[0];
}
