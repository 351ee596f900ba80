// Callers without a client key, from addresses that keymux believes a trusted proxy: for gateways with `auth: open`.

import type { Gateway } from "./gateway.ts";

/** Asks a model for something from an address; gives the status. */
export async function callAnonymously(gateway: Gateway, address: string): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1beta/models/gemini-2.5-flash:generateContent`, {
    method: "POST",
    headers: { "x-forwarded-for": address, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "Say hello" }] }] }),
  });
  await answer.text();
  return answer.status;
}
