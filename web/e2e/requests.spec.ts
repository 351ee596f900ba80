// Requests: watched as they come, found by filters, each with what was tried for it and why.

import type { Page } from "@playwright/test";
import { generate } from "./api.ts";
import { goodKeys } from "./gateway.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

test.beforeEach(async ({ operator }) => {
  await operator.call("POST", "/api/keys/bulk_delete", { filter: {} });
});

/** The rows of the table. */
const rows = (page: Page) => page.locator("tbody tr[data-index]");

async function live(page: Page) {
  await expect(page.locator("aside").getByRole("status")).toHaveText("Live");
}

test("a request shows as soon as it has ended; when paused it waits and is counted", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 2), { label: "tail" });
  await open(page, gateway, "/requests");
  await live(page);
  await generate(gateway, "gemini-of-the-tail");
  await expect(rows(page).filter({ hasText: "gemini-of-the-tail" })).toHaveCount(1);
  await page.getByRole("button", { name: "Pause" }).click();
  await generate(gateway, "gemini-that-waits");
  await generate(gateway, "gemini-that-waits");
  await expect(page.getByRole("button", { name: "2 new requests" })).toBeVisible();
  await expect(rows(page).filter({ hasText: "gemini-that-waits" })).toHaveCount(0);
  await expectAccessible(page);
  await page.getByRole("button", { name: "2 new requests" }).click();
  await expect(rows(page).filter({ hasText: "gemini-that-waits" })).toHaveCount(2);
  await generate(gateway, "gemini-after-pause");
  await page.getByRole("button", { name: "Go on live" }).click();
  await expect(rows(page).filter({ hasText: "gemini-after-pause" })).toHaveCount(1);
});

test("whoever stands on a request stays on it while others come above", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 2), { label: "tail" });
  await open(page, gateway, "/requests");
  await live(page);
  await generate(gateway, "gemini-stood-on");
  const stood = rows(page).filter({ hasText: "gemini-stood-on" });
  await stood.focus();
  await generate(gateway, "gemini-that-comes");
  await expect(rows(page).filter({ hasText: "gemini-that-comes" })).toHaveCount(1);
  await expect(stood).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(rows(page).filter({ hasText: "gemini-that-comes" })).toBeFocused();
});

test("a failed request is found by filter, and its reason is read in the timeline", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(["AIza-e2e-dead-0001"], { label: "dead" });
  expect(await generate(gateway, "gemini-2.5-pro")).toBe(503);
  await operator.addKeys(goodKeys.slice(0, 1), { label: "good" });
  expect(await generate(gateway, "gemini-2.5-pro")).toBe(200);
  await open(page, gateway, "/requests?model=gemini-2.5-pro");
  await expect(rows(page).filter({ hasText: "200" })).not.toHaveCount(0);
  await page.getByRole("combobox", { name: "Status" }).click();
  await page.getByRole("option", { name: "Failed" }).click();
  await expect(page).toHaveURL(/status=failed/);
  const failed = rows(page).filter({ hasText: "503" });
  await expect(failed).not.toHaveCount(0);
  await expect(rows(page).filter({ hasText: "200" })).toHaveCount(0);
  await failed.first().getByText("gemini-2.5-pro").click();
  await expect(page).toHaveURL(/request=/);
  const drawer = page.getByRole("dialog", { name: "gemini-2.5-pro" });
  await expect(drawer.getByText(/^Failed after 1 attempt/)).toContainText("Not valid");
  const attempt = drawer.getByRole("list", { name: "Attempts" }).getByRole("listitem");
  await expect(attempt).toContainText("400");
  await expect(attempt).toContainText("Not valid");
  await expect(attempt).toContainText("dead · direct");
  await expect(attempt).toContainText("Why this key: the least busy of 1 usable key");
  const command = drawer.getByRole("region", { name: "Ask again with curl" });
  await expect(command).toContainText("v1beta/models/gemini-2.5-pro:generateContent");
  await expect(command).toContainText("$KEYMUX_CLIENT_KEY");
  await expectAccessible(page);
});

test("a request that needed two keys says why the second was tried", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(["AIza-e2e-dead-0001"], { label: "dead" });
  const [good] = await operator.addKeys(goodKeys.slice(0, 1), { label: "good" });
  // The one that works comes second.
  await operator.call("PATCH", `/api/keys/${good}`, { priority: 1 });
  expect(await generate(gateway, "gemini-2.5-flash-lite")).toBe(200);
  await open(page, gateway, "/requests?model=gemini-2.5-flash-lite");
  await rows(page).first().getByText("gemini-2.5-flash-lite").click();
  const attempts = page.getByRole("list", { name: "Attempts" }).getByRole("listitem");
  await expect(attempts).toHaveCount(2);
  await expect(attempts.nth(1)).toContainText("Why again: attempt 1 failed, Not valid");
  await expect(attempts.nth(1)).toContainText("Answered");
  // What is open is in the address: a link leads to it.
  await page.goto(page.url());
  await expect(page.getByText(/^Answered after 2 attempts/)).toBeVisible();
});

test("what the filters match is taken out as a file", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  await generate(gateway, "gemini-for-export");
  await open(page, gateway, "/requests?model=gemini-for-export");
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /CSV/ }).click();
  const stream = await (await download).createReadStream();
  const text = await new Response(stream as unknown as ReadableStream).text();
  const [head, ...lines] = text.trim().split("\n");
  expect(head).toMatch(/^id,time,/);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("gemini-for-export");
});

test("nothing that matches says so, and filters are cleared with the time", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  await generate(gateway);
  await open(page, gateway, "/requests?model=none-such&range=1h");
  await expect(page.getByRole("heading", { name: "No request matches" })).toBeVisible();
  await page.getByRole("search").getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/requests$/);
  await expect(rows(page)).not.toHaveCount(0);
});

test("the page speaks the language that is chosen", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  await generate(gateway);
  await page.addInitScript(() => localStorage.setItem("keymux-language", "ru"));
  await open(page, gateway, "/requests");
  await expect(page.getByRole("heading", { name: "Запросы", level: 1 })).toBeVisible();
  await rows(page).first().click();
  await expect(page.getByText(/^Ответ получен: 1 попытка/)).toBeVisible();
});

test("members read what their own client keys asked; keys of the pool are names to them", async ({
  visitor: page,
  gateway,
  operator,
}) => {
  await enter(page, gateway, await operator.makeMember("lin"));
  await open(page, gateway, "/requests");
  await expect(page.getByRole("heading", { name: "No requests yet" })).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Key" })).toHaveCount(0);
  await operator.addKeys(goodKeys.slice(0, 1), { label: "of-the-pool" });
  await generate(gateway, "gemini-of-others");
  const own = await operator.makeClient("lin's", "lin");
  await live(page);
  expect(await generate(gateway, "gemini-2.5-pro", {}, own)).toBe(200);
  await expect(rows(page).filter({ hasText: "lin's" })).toHaveCount(1);
  await expect(page.getByText("gemini-of-others")).toHaveCount(0);
  await rows(page).first().click();
  const drawer = page.getByRole("dialog", { name: "gemini-2.5-pro" });
  await expect(drawer.getByRole("list", { name: "Attempts" })).toContainText("of-the-pool · direct");
  await expect(drawer.getByRole("link")).toHaveCount(0);
  await expect(drawer).not.toContainText("logs.bodies");
  await expectAccessible(page);
});

test("members are led to a key that is their own", async ({ visitor: page, gateway, operator }) => {
  const lou = await operator.makeMember("lou");
  await enter(page, gateway, lou);
  const [id] = await lou.addKeys(["AIza-e2e-dead-0001"], { label: "lou's own" });
  await operator.addKeys(goodKeys.slice(0, 1), { label: "of-the-pool" });
  expect(await generate(gateway, "gemini-2.5-pro", {}, await operator.makeClient("lou's", "lou"))).toBe(200);
  await open(page, gateway, "/requests");
  await rows(page).first().click();
  const attempts = page.getByRole("list", { name: "Attempts" }).getByRole("listitem");
  await expect(attempts.nth(1)).toContainText("of-the-pool");
  await expect(attempts.getByRole("link")).toHaveCount(1);
  await attempts.nth(0).getByRole("link", { name: "lou's own" }).click();
  await expect(page).toHaveURL(`${gateway.url}/keys?key=${id}`);
  await expect(page.getByRole("dialog", { name: "lou's own" })).toContainText("Invalid");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("requests are cards that open", async ({ admin: page, gateway, operator }) => {
    await operator.addKeys(goodKeys.slice(0, 1), { label: "card" });
    await generate(gateway, "gemini-3.5-flash");
    await open(page, gateway, "/requests?model=gemini-3.5-flash");
    await expectAccessible(page);
    await page
      .getByRole("button", { name: /gemini-3.5-flash/ })
      .first()
      .click();
    await expect(page.getByRole("dialog")).toContainText("Answered after 1 attempt");
    await expectAccessible(page);
  });
});
