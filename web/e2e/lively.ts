// A gateway as it looks in use: keys in several states, prices, and traffic of which some fails.

import { generate, Operator } from "./api.ts";
import { type Gateway, goodKeys } from "./gateway.ts";

const models = ["gemini-2.5-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-of-tomorrow"];

/** Fills the gateway; gives its administrator. */
export async function fill(gateway: Gateway): Promise<Operator> {
  const operator = await Operator.logIn(gateway);
  await operator.addKeys(goodKeys.slice(0, 2), { project: "alpha", label: "alpha" });
  await operator.addKeys(["AIza-e2e-throttled-1"], { project: "beta", label: "throttled" });
  await operator.addKeys(["AIza-e2e-out-of-day"], { project: "gamma", label: "out-of-day" });
  await operator.addKeys(["AIza-e2e-dead-0001", "AIza-e2e-leaked-01"], { label: "broken" });
  await operator.addKeys(goodKeys.slice(2));
  await operator.call("PUT", "/api/prices/google?model=gemini-2.5-flash", { input: 0.3, output: 2.5 });
  return operator;
}

/** The request of this turn: now to one model, now to another. */
export function visit(gateway: Gateway, turn: number): Promise<number> {
  return generate(gateway, models[turn % models.length]);
}
