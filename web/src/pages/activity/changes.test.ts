// What lines of the activity log say of values.

import { expect, it } from "vitest";
import { changesOf, type Line, sentenceOf } from "./changes";

function line(resource: string, details: string): Line {
  return { id: 1, at: "2026-01-01T00:00:00Z", actor: "admin", action: "UPDATE", resource, details };
}

const limited = (limits: object) => line("allowed_keys", `chat app: limits ${JSON.stringify(limits)}`);

it("limits of a client key are told in words, and those that there are none of are not", () => {
  const said = limited({ rpm: 5, rpd: null, allowed_models: ["a*", "b"], allowed_ips: [], budget_period: "month" });
  expect(sentenceOf(said)).toBe("chat app: rpm 5, allowed_models a* b");
  expect(sentenceOf(line("allowed_keys", "x y: was x, disabled"))).toBe("x y: was x, disabled");
});

it("what was before is what the line before says", () => {
  const now = limited({ rpm: 7, tpd: 100 });
  const older = [line("allowed_keys", "chat app: disabled"), limited({ rpm: 5, rpd: 9 }), limited({ rpm: 1 })];
  expect(changesOf(now, older)).toEqual([
    { name: "rpm", before: "5", after: "7" },
    { name: "tpd", before: "–", after: "100" },
    { name: "rpd", before: "9", after: "–" },
  ]);
  expect(changesOf(now, [])).toContainEqual({ name: "rpm", before: undefined, after: "7" });
});

it("settings have a value, or their default again", () => {
  const set = line("settings", 'aliases = {"a": "b = c"}');
  expect(changesOf(set, [])).toEqual([{ name: "aliases", before: undefined, after: '{"a": "b = c"}' }]);
  const back = line("settings", "aliases back to its default");
  expect(changesOf(back, [set])).toEqual([{ name: "aliases", before: '{"a": "b = c"}', after: null }]);
});

it("prices have two values", () => {
  const older = [line("prices", "m of google: 0.3 in, 2.5 out")];
  expect(changesOf(line("prices", "m of google: 0.4 in, 2.5 out"), older)).toEqual([
    { name: "input", before: "0.3", after: "0.4" },
  ]);
});
