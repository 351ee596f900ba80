// The admin API and a caller, for tests to prepare what they look at.

import type { Page } from "@playwright/test";
import { clientKey, type Gateway, password } from "./gateway.ts";

export class Operator {
  private constructor(
    private readonly gateway: Gateway,
    private readonly token: string,
  ) {}

  static async logIn(gateway: Gateway, username = "admin", secret = password): Promise<Operator> {
    const answer = await fetch(`${gateway.url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password: secret }),
    });
    const { access_token } = (await answer.json()) as { access_token: string };
    return new Operator(gateway, access_token);
  }

  /** The session, as the browser's cookie holds it. */
  get session(): string {
    return this.token;
  }

  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async addKeys(keys: string[], more: { project?: string; label?: string } = {}): Promise<number[]> {
    const added = await this.call("POST", "/api/keys/bulk_add", { provider: "google", keys, ...more });
    return (added as { ids: number[] }).ids;
  }

  /** Makes a member, who is logged in. */
  async makeMember(username: string): Promise<Operator> {
    const secret = "eight or more";
    await this.call("POST", "/api/users", { username, password: secret });
    return Operator.logIn(this.gateway, username, secret);
  }

  /** Makes a client key; gives its secret. */
  async makeClient(name: string, owner?: string): Promise<string> {
    const made = await this.call("POST", "/api/allowed_keys", { name, ...(owner ? { owner } : {}) });
    return (made as { key: string }).key;
  }
}

/** From now on a page belongs to this user. */
export async function enter(page: Page, { url }: Gateway, { session }: Operator) {
  const cookie = { name: "keymux_session", value: session, url, httpOnly: true, sameSite: "Strict" } as const;
  await page.context().addCookies([cookie]);
}

/** Asks a model for something, with more in the body than that; gives the status. */
export async function generate(
  gateway: Gateway,
  model = "gemini-2.5-flash",
  more: object = {},
  key = clientKey,
): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1beta/models/${model}:generateContent`, {
    method: "POST",
    headers: { "x-goog-api-key": key, "content-type": "application/json" },
    body: JSON.stringify({ contents: [{ parts: [{ text: "Say hello" }] }], ...more }),
  });
  await answer.text();
  return answer.status;
}
