// Durations and sizes as the configuration writes them, `1h30m` and `100MiB`, and as a number with one unit.

export type Unit = { name: string; size: number };
export type Amount = { count: number; unit: string };

/** In milliseconds, the largest first. */
const times: Unit[] = [
  { name: "d", size: 86_400_000 },
  { name: "h", size: 3_600_000 },
  { name: "m", size: 60_000 },
  { name: "s", size: 1_000 },
  { name: "ms", size: 1 },
];

/** In bytes, the largest first. */
const sizes: Unit[] = [
  { name: "TiB", size: 2 ** 40 },
  { name: "GiB", size: 2 ** 30 },
  { name: "MiB", size: 2 ** 20 },
  { name: "KiB", size: 2 ** 10 },
  { name: "B", size: 1 },
];

/** Units that are read, but not offered. */
const decimal: Unit[] = [
  { name: "TB", size: 1e12 },
  { name: "GB", size: 1e9 },
  { name: "MB", size: 1e6 },
  { name: "KB", size: 1e3 },
];

export type Measure = "duration" | "size";

export function unitsOf(measure: Measure): Unit[] {
  return measure === "duration" ? times : sizes;
}

/** In milliseconds or bytes; null: it is neither a duration nor a size. */
export function total(measure: Measure, text: string): number | null {
  const known = measure === "duration" ? times : [...sizes, ...decimal];
  const sizeOf = (name = "") => known.find((unit) => unit.name.toLowerCase() === (name || "b").toLowerCase())?.size;
  if (measure === "duration" && text === "0") return 0;
  const parts = [...text.matchAll(/(\d+)\s*([a-z]*)/gi)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return null;
  const values = parts.map(([, count, unit]) => Number(count) * (sizeOf(unit) ?? Number.NaN));
  const sum = values.reduce((before, value) => before + value, 0);
  return Number.isNaN(sum) ? null : sum;
}

/** With the largest unit of which it is a whole number: 1h30m is 90 m. */
export function amountOf(measure: Measure, text: string): Amount | null {
  const sum = total(measure, text);
  if (sum === null) return null;
  const usual = measure === "duration" ? "s" : "MiB";
  const unit = sum === 0 ? undefined : unitsOf(measure).find(({ size }) => sum % size === 0);
  return { count: unit ? sum / unit.size : 0, unit: unit?.name ?? usual };
}

/** As it is written. */
export function written({ count, unit }: Amount): string {
  return `${count}${unit}`;
}
