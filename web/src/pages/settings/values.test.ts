import { describe, expect, it } from "vitest";
import { matching, type Setting, sectionsOf } from "./settings";
import { amountOf, total } from "./units";
import { hasSecret, inLine, isSame, problemOf } from "./values";

const duration = { type: "duration", description: "", default: "2m", minimum: "1s", maximum: "1d" };
const size = { type: "size", description: "", default: "100MiB", minimum: "1KiB", maximum: "1TiB" };
const integer = { type: "integer", description: "", default: 3, minimum: 1, maximum: 100 };
const ban = { ...duration, choices: ["permanent"], default: "permanent" };

describe("amounts", () => {
  it.each([
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["0", 0],
    ["30", null],
    ["soon", null],
    ["5 minutes", null],
  ])("the duration %s is %s ms", (text, expected) => expect(total("duration", text)).toBe(expected));

  it.each([
    ["512", 512],
    ["64KB", 64_000],
    ["100MiB", 104_857_600],
    ["1.5GiB", null],
  ])("the size %s is %s bytes", (text, expected) => expect(total("size", text)).toBe(expected));

  it.each([
    ["duration", "1h30m", { count: 90, unit: "m" }],
    ["duration", "30d", { count: 30, unit: "d" }],
    ["duration", "0s", { count: 0, unit: "s" }],
    ["size", "2048MiB", { count: 2, unit: "GiB" }],
    ["size", "64KB", { count: 64_000, unit: "B" }],
  ] as const)("the %s %s is edited as a number with a unit", (measure, text, expected) =>
    expect(amountOf(measure, text)).toEqual(expected),
  );
});

describe("values", () => {
  it("are the same when they mean the same", () => {
    expect(isSame(duration, "90s", "1m30s")).toBe(true);
    expect(isSame(duration, "90s", "2m")).toBe(false);
    expect(isSame(ban, "permanent", "1d")).toBe(false);
    expect(isSame(integer, 3, 3)).toBe(true);
  });

  it.each([
    [integer, 0, "between"],
    [integer, 1.5, "notWhole"],
    [integer, null, "missing"],
    [integer, 100, undefined],
    [duration, "0s", "between"],
    [duration, "25h", "between"],
    [duration, "soon", "notAmount"],
    [duration, "24h", undefined],
    [size, "1B", "between"],
    [ban, "permanent", undefined],
    [{ type: "text", description: "", default: null }, "", undefined],
  ])("of %o, %s is %s", (form, value, expected) => expect(problemOf(form, value)?.name).toBe(expected));

  it("are told in one line", () => {
    expect(inLine(["a", "b"])).toBe("a, b");
    expect(inLine({ fast: "google/x", smart: ["google/y", "xai/z"] })).toBe("fast: google/x; smart: [google/y, xai/z]");
    expect(inLine([{ url: "http://x", refresh: "1m" }])).toBe("url: http://x; refresh: 1m");
    expect(inLine([])).toBeNull();
  });

  it("with secrets in their fields are known", () => {
    const sources = { type: "list", element: "fields", description: "", fields: [{ ...integer, name: "n" }] };
    expect(hasSecret(sources)).toBe(false);
    expect(hasSecret({ ...sources, fields: [{ type: "secret", description: "", name: "url" }] })).toBe(true);
    expect(hasSecret({ type: "list", element: "proxy_url", description: "" })).toBe(true);
  });
});

describe("settings", () => {
  const setting = (name: string, description = ""): Setting => ({
    ...integer,
    name,
    section: name.split(".")[0] ?? "",
    description,
    value: 3,
    set_by: "default",
    editable: true,
    has_effect: true,
  });
  const all = [setting("zebra.stripes"), setting("logs.level"), setting("pool.max_failures", "Answers in a row.")];

  it("are in sections, those first that are looked for first, and none is left out", () => {
    expect(sectionsOf(all).map(({ name }) => name)).toEqual(["pool", "logs", "zebra"]);
  });

  it("are found by words of their names and descriptions", () => {
    const found = (words: string, by?: string) => matching(all, words, by).map(({ name }) => name);
    expect(found("max failures")).toEqual(["pool.max_failures"]);
    expect(found("ROW answers")).toEqual(["pool.max_failures"]);
    expect(found("")).toHaveLength(3);
    expect(found("", "file")).toEqual([]);
  });
});
