// What is typed about a client key, and what the API is told of it.

import { fromLocalInput, toLocalInput } from "@/format/localInput";
import type { ClientInput } from "./clients";

/** A number that may be left out. */
export type Amount = number | "";

export type Values = {
  name: string;
  owner: string | null;
  /** As its input takes it; empty: never. */
  expires: string;
  rpm: Amount;
  rpd: Amount;
  tpm: Amount;
  tpd: Amount;
  max_concurrent: Amount;
  budget_usd: Amount;
  budget_period: "day" | "month";
  allowed_providers: string[];
  allowed_models: string[];
  allowed_endpoints: string[];
  allowed_ips: string[];
};

export type AmountName = "rpm" | "rpd" | "tpm" | "tpd" | "max_concurrent" | "budget_usd";
export type ListName = "allowed_providers" | "allowed_models" | "allowed_endpoints" | "allowed_ips";

export const presets = ["app", "trial", "open"] as const;
export type Preset = (typeof presets)[number];

type Limits = Pick<Values, AmountName | "budget_period" | "expires">;

const day = 86_400_000;
const noLimits: Limits = {
  rpm: "",
  rpd: "",
  tpm: "",
  tpd: "",
  max_concurrent: "",
  budget_usd: "",
  budget_period: "month",
  expires: "",
};

/** Limits to begin with: enough for an application, little enough for a trial, or none. */
export function limitsOfPreset(preset: Preset, now: number): Limits {
  switch (preset) {
    case "app":
      return { ...noLimits, rpm: 60, max_concurrent: 10 };
    case "trial":
      return { ...noLimits, rpm: 10, rpd: 200, max_concurrent: 2, budget_usd: 1, expires: inDays(7, now) };
    case "open":
      return noLimits;
  }
}

export function inDays(days: number, now: number): string {
  return toLocalInput(now + days * day);
}

export function newValues(now: number): Values {
  return {
    name: "",
    owner: null,
    allowed_providers: [],
    allowed_models: [],
    allowed_endpoints: [],
    allowed_ips: [],
    ...limitsOfPreset("app", now),
  };
}

/** What is known of a client key, as it can be changed. */
export function valuesOf(input: ClientInput): Values {
  return {
    name: input.name,
    owner: input.owner ?? null,
    expires: input.expires_at ? toLocalInput(input.expires_at) : "",
    rpm: input.rpm ?? "",
    rpd: input.rpd ?? "",
    tpm: input.tpm ?? "",
    tpd: input.tpd ?? "",
    max_concurrent: input.max_concurrent ?? "",
    budget_usd: input.budget_usd ?? "",
    budget_period: input.budget_period ?? "month",
    allowed_providers: input.allowed_providers ?? [],
    allowed_models: input.allowed_models ?? [],
    allowed_endpoints: input.allowed_endpoints ?? [],
    allowed_ips: input.allowed_ips ?? [],
  };
}

/** What the API is told. An end that nobody touched stays as it is, to the second. */
export function inputOfValues(values: Values, before?: ClientInput): ClientInput {
  const { expires, ...rest } = values;
  const amounts = ["rpm", "rpd", "tpm", "tpd", "max_concurrent", "budget_usd"] as const;
  const set = Object.fromEntries(amounts.map((name) => [name, values[name] === "" ? null : values[name]]));
  const isSameEnd = before?.expires_at && toLocalInput(before.expires_at) === expires;
  const expires_at = isSameEnd ? before.expires_at : expires ? fromLocalInput(expires) : null;
  return { ...rest, ...set, expires_at, enabled: before?.enabled ?? true } as ClientInput;
}
