import { describe, expect, it } from "vitest";
import { formatOf, localeOf } from "./format";

const english = formatOf("en-GB");
/** Blanks that do not break, and narrow ones, as plain ones. */
const plain = (text: string) => text.replaceAll(/\s/g, " ");

describe("durations", () => {
  it.each([
    [0, "0s"],
    [400, "0s"],
    [59_000, "59s"],
    [61_000, "1m 1s"],
    [3_600_000, "1h"],
    [5 * 3_600_000 + 12 * 60_000 + 3_000, "5h 12m"],
    [26 * 3_600_000, "1d 2h"],
    [-5_000, "0s"],
  ])("%i ms is %s", (ms, text) => {
    expect(plain(english.duration(ms))).toBe(text);
  });
});

it.each([
  [0.4, "0ms"],
  [412, "412ms"],
  [4_120, "4.1s"],
  [125_000, "2m 5s"],
])("a latency of %d ms is %s", (ms, text) => {
  expect(plain(english.latency(ms))).toBe(text);
});

it.each([
  [0, "$0.00"],
  [0.000_201_3, "$0.0002"],
  [0.0125, "$0.0125"],
  [3.714, "$3.71"],
  [1234.5, "$1,234.50"],
])("%d dollars are %s", (value, text) => {
  expect(english.usd(value)).toBe(text);
});

it("what is not all is not shown as all", () => {
  expect(english.percent(0.99996)).toBe("99.9%");
  expect(english.percent(1)).toBe("100%");
});

it("numbers are written as the language writes them", () => {
  expect(plain(formatOf("ru").number(1234567.5))).toBe("1 234 567,5");
  expect(formatOf("zh-CN").compact(12_400_000)).toBe("1240万");
  expect(english.compact(999)).toBe("999");
  expect(english.compact(4_000_000)).toBe("4M");
  expect(formatOf("vi").latency(412)).toBe("412ms");
});

it.each([
  [-59_700, /^59 sec\.? ago$/],
  [-30_000, /^30 sec\.? ago$/],
  [-5 * 60_000, /^5 min\.? ago$/],
  [3 * 3_600_000, /^in 3 hr\.?$/],
])("what is %i ms away is %s", (away, text) => {
  expect(formatOf("en-US").relative(1_700_000_000_000 + away, 1_700_000_000_000)).toMatch(text);
});

it("the viewer's region decides how times are written, where it is of the language that is shown", () => {
  expect(localeOf("en", ["fr-FR", "en-GB", "en-US"])).toBe("en-GB");
  expect(localeOf("ru", ["en-GB"])).toBe("ru");
  expect(localeOf("zh-TW", ["zh-CN"])).toBe("zh-TW");
});

it.each([
  [0, "0B"],
  [999, "999B"],
  [480_000, "480kB"],
  [2_147_483_648, "2.1GB"],
  [5e15, "5,000TB"],
])("%d bytes are %s", (count, text) => {
  expect(plain(english.bytes(count))).toBe(text);
});
