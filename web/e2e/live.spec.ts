// Live sessions: seen while they last, with what passes, and ended from here.

import type { Page } from "@playwright/test";
import { goodKeys } from "./gateway.ts";
import { LiveCaller, liveModel } from "./liveCaller.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

test.use({ gatewayOf: "live" });

test.beforeEach(async ({ operator }) => {
  await operator.addKeys(goodKeys.slice(0, 1), { project: "voices" });
});

const row = (page: Page) => page.getByRole("row").filter({ hasText: liveModel });

test("a session shows while it lasts, with what passes, and is ended for both sides", async ({
  admin: page,
  gateway,
}) => {
  await open(page, gateway, "/live");
  await expect(page.getByRole("heading", { name: "No session is open" })).toBeVisible();
  await expectAccessible(page);
  const caller = await LiveCaller.connect(page, gateway);
  await expect(row(page)).toContainText(/e2e.*google.*#\d+.*0 · 0B/);
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Egress" }).click();
  await page.keyboard.press("Escape");
  await expect(row(page)).toContainText("direct");
  await caller.say("hello");
  await expect(row(page)).toContainText(/1 · \d+B/);
  await row(page).getByRole("button", { name: /^End / }).click();
  const dialog = page.getByRole("dialog", { name: "End this session?" });
  await expect(dialog).toContainText(`${liveModel} · e2e`);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "End" }).click();
  expect(await caller.closed()).toEqual({ code: 1001, reason: "the session was closed by an operator" });
  await expect(page.getByRole("heading", { name: "No session is open" })).toBeVisible();
});

test("a session is found by its client key, and goes when its caller leaves", async ({ admin: page, gateway }) => {
  const caller = await LiveCaller.connect(page, gateway);
  await open(page, gateway, "/live?q=nobody");
  await expect(page.getByRole("heading", { name: "No session matches" })).toBeVisible();
  await page.getByRole("searchbox", { name: "Search sessions" }).fill("e2e");
  await expect(row(page)).toBeVisible();
  await caller.leave();
  await expect(page.getByRole("heading", { name: "No session matches" })).toBeVisible();
});

test("members see and end the sessions of their own client keys", async ({ visitor: page, gateway, operator }) => {
  await enter(page, gateway, await operator.makeMember("noa"));
  const own = await operator.makeClient("noa's", "noa");
  const [other, caller] = [await LiveCaller.connect(page, gateway), await LiveCaller.connect(page, gateway, own)];
  await open(page, gateway, "/live");
  await expect(row(page)).toHaveCount(1);
  await expect(row(page)).toContainText(/noa's.*google.*#\d+/);
  // The key is one of the pool: a name, and no way to it.
  await expect(row(page).getByRole("link")).toHaveCount(0);
  await row(page).getByRole("button", { name: /^End / }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  expect(await caller.closed()).toMatchObject({ code: 1001 });
  await expect(page.getByRole("heading", { name: "No session is open" })).toBeVisible();
  await expectAccessible(page);
  await other.leave();
});

test("sessions can be looked at by everybody", async ({ admin: page, gateway }) => {
  await LiveCaller.connect(page, gateway);
  await open(page, gateway, "/live");
  await expect(row(page)).toBeVisible();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("sessions are cards", async ({ admin: page, gateway }) => {
    await LiveCaller.connect(page, gateway);
    await open(page, gateway, "/live");
    await expect(page.getByRole("listitem").filter({ hasText: liveModel })).toContainText("e2e");
    await expectAccessible(page);
  });
});
