// What a cell of the grid says: first what is said of the key, then of the key with the model.

import { expect, it } from "vitest";
import { cellOf, type Standing } from "./models";

const soon = "2026-11-30T05:00:00.000Z";

function key(more: Partial<Standing>): Standing {
  const models = [
    { model: "free", requests_today: 4 },
    { model: "limited", requests_today: 1, cooling_until: soon, reason: "rate_limited" },
    { model: "daily", requests_today: 0, cooling_until: soon, reason: "quota_daily" },
    { model: "missing", requests_today: 0, cooling_until: soon, reason: "model_unavailable" },
  ];
  return { status: "active", models, ...more } as Standing;
}

it.each([
  ["free", "usable"],
  ["never asked for", "usable"],
  ["limited", "cooling"],
  ["daily", "locked"],
  ["missing", "unavailable"],
])("%s is %s", (model, state) => {
  expect(cellOf(key({}), model).state).toBe(state);
});

it("what is said of the key goes for all of its models", () => {
  expect(cellOf(key({ status: "disabled" }), "limited").state).toBe("disabled");
  expect(cellOf(key({ status: "invalid" }), "free").state).toBe("invalid");
  const cooling = cellOf(key({ status: "cooling", cooling_until: soon, reason: "billing" }), "free");
  expect(cooling).toEqual({ state: "keyCooling", until: soon, reason: "billing", requestsToday: 4 });
});
