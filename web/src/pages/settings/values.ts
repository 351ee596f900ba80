// Values of settings: whether two are the same, what is wrong with one, how one is told in a line.

import type { Form } from "./settings";
import { type Measure, total } from "./units";

/** The elements of a list or a mapping, as something that can be set. */
export function elementOf(form: Form): Form {
  return { type: form.element ?? "text", description: "", fields: form.fields ?? [] };
}

/** What a value is when nobody has said anything. */
export function emptyOf(form: Form): unknown {
  if (form.default !== undefined && form.default !== null) return form.default;
  switch (form.type) {
    case "boolean":
      return false;
    case "list":
      return [];
    case "mapping":
    case "fields":
      return {};
    default:
      return form.choices?.[0] ?? null;
  }
}

export function isMeasure(type: string): type is Measure {
  return type === "duration" || type === "size";
}

/** Whether two values mean the same: 90s is 1m30s. */
export function isSame(form: Form, one: unknown, other: unknown): boolean {
  if (isMeasure(form.type) && typeof one === "string" && typeof other === "string") {
    const [first, second] = [total(form.type, one), total(form.type, other)];
    if (first !== null && second !== null) return first === second;
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether a part of the value is only shown masked. */
export function hasSecret(form: Form): boolean {
  const secrets = ["secret", "proxy_url"];
  return secrets.includes(form.type) || secrets.includes(form.element ?? "") || (form.fields ?? []).some(hasSecret);
}

export type Problem = {
  name: "unfinished" | "missing" | "notWhole" | "notAmount" | "between";
  low?: string;
  high?: string;
};

/** What is wrong with a value, as far as can be told here; keymux looks at the rest. Undefined: there is no value yet. */
export function problemOf(form: Form, value: unknown): Problem | null {
  if (value === undefined) return { name: "unfinished" };
  if (value === null || value === "")
    return form.default === null || form.default === undefined ? null : { name: "missing" };
  if (form.type === "integer" && !Number.isInteger(value)) return { name: "notWhole" };
  const size = sizeOf(form, value);
  if (size === undefined) return null;
  if (size === null) return { name: "notAmount" };
  const [low, high] = [sizeOf(form, form.minimum), sizeOf(form, form.maximum)];
  const isWithin = (low == null || size >= low) && (high == null || size <= high);
  return isWithin ? null : { name: "between", low: String(form.minimum), high: String(form.maximum) };
}

/** What bounds are compared by; undefined: it has none; null: it cannot be read. */
function sizeOf(form: Form, value: unknown): number | null | undefined {
  if (typeof value === "string" && form.choices?.includes(value)) return undefined;
  if (isMeasure(form.type)) return typeof value === "string" ? total(form.type, value) : undefined;
  if (form.type === "integer" || form.type === "number") return typeof value === "number" ? value : undefined;
  return undefined;
}

/** In one line; null: there is nothing to tell. */
export function inLine(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.map((one) => inLine(one) ?? "").join(", ");
  if (typeof value !== "object") return String(value);
  const pairs = Object.entries(value).map(
    ([name, one]) => `${name}: ${Array.isArray(one) ? `[${inLine(one) ?? ""}]` : (inLine(one) ?? "–")}`,
  );
  return pairs.length === 0 ? null : pairs.join("; ");
}
