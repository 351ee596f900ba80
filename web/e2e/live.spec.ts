// Live sessions: seen while they last, with what passes, and ended from here.

import type { Page } from "@playwright/test";
import { clientKey, type Gateway, goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

test.use({ gatewayOf: "live" });

const model = "gemini-live-2.5-flash";

test.beforeEach(async ({ operator }) => {
  await operator.addKeys(goodKeys.slice(0, 1), { project: "voices" });
});

const row = (page: Page) => page.getByRole("row").filter({ hasText: model });

test("a session shows while it lasts, with what passes, and is ended for both sides", async ({
  admin: page,
  gateway,
}) => {
  await open(page, gateway, "/live");
  await expect(page.getByRole("heading", { name: "No session is open" })).toBeVisible();
  await expectAccessible(page);
  const caller = await Caller.connect(page, gateway);
  await expect(row(page)).toContainText(/e2e.*google.*#\d+.*direct.*0 · 0B/);
  await caller.say("hello");
  await expect(row(page)).toContainText(/1 · \d+B/);
  await row(page).getByRole("button", { name: /^End / }).click();
  const dialog = page.getByRole("dialog", { name: "End this session?" });
  await expect(dialog).toContainText(`${model} · e2e`);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "End" }).click();
  expect(await caller.closed()).toEqual({ code: 1001, reason: "the session was closed by an operator" });
  await expect(page.getByRole("heading", { name: "No session is open" })).toBeVisible();
});

test("a session is found by its client key, and goes when its caller leaves", async ({ admin: page, gateway }) => {
  const caller = await Caller.connect(page, gateway);
  await open(page, gateway, "/live?q=nobody");
  await expect(page.getByRole("heading", { name: "No session matches" })).toBeVisible();
  await page.getByRole("searchbox", { name: "Search sessions" }).fill("e2e");
  await expect(row(page)).toBeVisible();
  await caller.leave();
  await expect(page.getByRole("heading", { name: "No session matches" })).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme}`, () => {
    test.use({ colorScheme });
    test("sessions can be looked at by everybody", async ({ admin: page, gateway }) => {
      await Caller.connect(page, gateway);
      await open(page, gateway, "/live");
      await expect(row(page)).toBeVisible();
      await expectAccessible(page);
    });
  });
  test.describe(`on a phone, ${colorScheme}`, () => {
    test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme });
    test("sessions are cards", async ({ admin: page, gateway }) => {
      await Caller.connect(page, gateway);
      await open(page, gateway, "/live");
      await expect(page.getByRole("listitem").filter({ hasText: model })).toContainText("e2e");
      await expectAccessible(page);
    });
  });
}

type Closed = { code: number; reason: string };
type WithSocket = { socket: WebSocket; ended: Promise<Closed> };

/** Somebody at Google's Live API, in an empty page of their own. */
class Caller {
  private constructor(private readonly page: Page) {}

  /** Opens a session, and waits until it is set up. */
  static async connect(beside: Page, gateway: Gateway): Promise<Caller> {
    const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    const url = `${gateway.url.replace("http", "ws")}${path}?key=${clientKey}`;
    const page = await beside.context().newPage();
    await page.evaluate(
      async ([url, setup]) => {
        const socket = new WebSocket(url);
        const own = window as unknown as WithSocket;
        own.socket = socket;
        own.ended = new Promise((tell) => {
          socket.onclose = ({ code, reason }) => tell({ code, reason });
        });
        await new Promise((opened, refused) => {
          socket.onopen = opened;
          socket.onerror = () => refused(new Error("the session was refused"));
        });
        socket.send(setup);
        await new Promise((answered) => {
          socket.onmessage = answered;
        });
      },
      [url, JSON.stringify({ setup: { model: `models/${model}` } })] as const,
    );
    return new Caller(page);
  }

  async say(text: string) {
    const turns = [{ role: "user", parts: [{ text }] }];
    const message = JSON.stringify({ clientContent: { turns, turnComplete: true } });
    await this.page.evaluate((said) => (window as unknown as WithSocket).socket.send(said), message);
  }

  /** How it was closed. */
  closed(): Promise<Closed> {
    return this.page.evaluate(() => (window as unknown as WithSocket).ended);
  }

  leave(): Promise<void> {
    return this.page.close();
  }
}
