// How high a text is shown: counted in its lines. Measuring it, as Mantine would, lays the whole page out for each field.

/** As many rows as it has lines, within these bounds. */
export function rowsOf(text: string, low: number, high: number): number {
  return Math.min(high, Math.max(low, text.split("\n").length));
}
