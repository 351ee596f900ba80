// A gateway as it looks in use: keys in several states, client keys with limits, prices, and traffic of which some fails.

import { generate, Operator } from "./api.ts";
import { cache, upload } from "./callers.ts";
import { type Gateway, goodKeys, type Setup } from "./gateway.ts";

export type Lively = {
  gateway: Gateway;
  operator: Operator;
  /** What callers show. */
  apps: { chat: string; support: string; nightly: string; notebook: string };
};

/** How such a gateway is started: providers take their time. */
export const lively: Setup = {
  rules: [
    { model: "gemini-2.5-pro", delay_head_ms: 900 },
    { key: goodKeys[3], delay_head_ms: 1400 },
    { delay_head_ms: 320 },
  ],
};

/** Fills it. */
export async function fill(gateway: Gateway): Promise<Lively> {
  const operator = await Operator.logIn(gateway);
  await operator.makeMember("mei");
  const apps = await makeClients(operator);
  await operator.addKeys(["AIza-e2e-throttled-1"], { project: "beta", label: "throttled" });
  await operator.addKeys(["AIza-e2e-out-of-day"], { project: "gamma", label: "out-of-day" });
  await operator.addKeys(["AIza-e2e-dead-0001"], { project: "delta", label: "dead" });
  await operator.addKeys(["AIza-e2e-leaked-01"], { project: "epsilon", label: "leaked" });
  for (const [team, first] of [["search", 0] as const, ["support", 12] as const, ["research", 24] as const])
    for (let number = 0; number < 12; number += 1)
      await operator.addKeys(goodKeys.slice(first + number, first + number + 1), {
        project: `${team}-${(number % 4) + 1}`,
        label: `${team}-${number + 1}`,
      });
  await operator.call("POST", "/api/keys/bulk_add", {
    provider: "xai",
    keys: ["xai-e2e-1", "xai-e2e-2"],
    label: "xai",
  });
  for (const [model, input, output] of [
    ["google?model=gemini-2.5-flash", 0.3, 2.5],
    ["google?model=gemini-2.5-pro", 1.25, 10],
    ["xai?model=grok-4.7", 3, 15],
  ])
    await operator.call("PUT", `/api/prices/${model}`, { input, output });
  await operator.call("POST", "/api/bans", { ip: "203.0.113.30", reason: "scraping" });
  await operator.call("POST", "/api/bans", { ip: "2001:db8:1:2::1", reason: "guesses client keys" });
  for (let turn = 0; turn < 3; turn += 1) await upload(gateway, apps.support);
  await cache(gateway, "gemini-2.5-flash", "words ".repeat(2000), apps.chat);
  return { gateway, operator, apps };
}

async function makeClients(operator: Operator): Promise<Lively["apps"]> {
  const make = async (input: object) =>
    ((await operator.call("POST", "/api/allowed_keys", input)) as { key: string }).key;
  return {
    chat: await make({ name: "chat app", rpm: 600, budget_usd: 50 }),
    support: await make({ name: "support bot", rpm: 120, rpd: 5000, allowed_models: ["gemini-*"] }),
    nightly: await make({ name: "nightly batch", tpd: 2_000_000 }),
    notebook: await make({ name: "mei's notebook", owner: "mei", rpm: 60 }),
  };
}

/** The request of this turn: now of one caller for one model, now of another. */
export async function visit({ gateway, apps }: Lively, turn: number) {
  if (turn % 61 === 7) await generate(gateway, "gemini-of-tomorrow", {}, apps.chat);
  else if (turn % 13 === 5) await generate(gateway, "gemini-2.5-flash", {}, apps.notebook);
  else if (turn % 5 === 1) await generate(gateway, "gemini-2.5-pro", {}, apps.support);
  else if (turn % 7 === 3) await chat(gateway, "xai/grok-4.7", apps.nightly);
  else if (turn % 3 === 0) await generate(gateway, "gemini-2.5-flash", {}, apps.support);
  else await chat(gateway, "google/gemini-2.5-flash", apps.chat);
}

async function chat(gateway: Gateway, model: string, key: string) {
  const content = "Summarise the last ten tickets of this customer in three sentences. ".repeat(8);
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] }),
  });
  await answer.text();
}
