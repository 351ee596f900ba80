// What a line of the activity log says of values: its sentence for people, and what was before and after.

import type { Schema } from "@/api/client";

export type Line = Schema<"ActivityView">;
export type Change = {
  name: string;
  /** Undefined: no line that is kept says it. */
  before: string | undefined;
  /** Null: the default again. */
  after: string | null;
};

type Values = Map<string, string | null>;

const limits = / ?limits (\{.*\})$/;
const setting = /^(\S+) = (.*)$/s;
const unset = /^(\S+) back to its default$/;
const price = /: (\S+) in, (\S+) out$/;

/** The values that a line says a thing has from then on. */
export function valuesOf({ resource, details }: Line): Values | null {
  if (resource === "allowed_keys") return limitsIn(details);
  if (resource === "settings") {
    const [, name, value] = details.match(setting) ?? [];
    if (name !== undefined && value !== undefined) return new Map([[name, value]]);
    const [, gone] = details.match(unset) ?? [];
    return gone === undefined ? null : new Map([[gone, null]]);
  }
  if (resource === "prices") {
    const [, input, output] = details.match(price) ?? [];
    if (input === undefined || output === undefined) return null;
    return new Map([
      ["input", input],
      ["output", output],
    ]);
  }
  return null;
}

/** What is different since the line before that speaks of the same thing; `older` are the lines before, newest first. */
export function changesOf(line: Line, older: Line[]): Change[] {
  const after = valuesOf(line);
  if (!after) return [];
  const before = older.map(valuesOf).find((values) => values !== null);
  const names = [...new Set([...after.keys(), ...(before?.keys() ?? [])])];
  return names
    .map((name) => ({
      name,
      // A limit that a line does not name there is none of; a value of a line that is not kept is not known.
      before: before ? (before.get(name) ?? "–") : undefined,
      after: after.has(name) ? (after.get(name) ?? null) : "–",
    }))
    .filter((change) => change.before !== change.after);
}

/** The sentence, without what only programs read. */
export function sentenceOf(line: Line): string {
  const values = line.resource === "allowed_keys" ? limitsIn(line.details) : null;
  if (!values) return line.details;
  const said = [...values].map(([name, value]) => `${name} ${value}`).join(", ");
  return `${line.details.replace(limits, "").replace(/[:,]$/, "")}: ${said || "no limits"}`;
}

/** The limits of a client key, as far as there are any. */
function limitsIn(details: string): Values | null {
  const [, json] = details.match(limits) ?? [];
  if (!json) return null;
  const all = Object.entries(parsed(json));
  const hasBudget = all.some(([name, value]) => name === "budget_usd" && value !== null);
  const set = all.filter(([name, value]) => !isEmpty(value) && (name !== "budget_period" || hasBudget));
  return new Map(set.map(([name, value]) => [name, Array.isArray(value) ? value.join(" ") : String(value)]));
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function parsed(json: string): Record<string, unknown> {
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    return {};
  }
}
