// The activity log: what was done is found, read with what was before, and comes by itself.

import { expect, expectAccessible, open, test } from "./test.ts";

test("a change is read with what was before and after", async ({ admin: page, gateway, operator }) => {
  const { id } = (await operator.call("POST", "/api/allowed_keys", { name: "watched", rpm: 5 })) as { id: number };
  const put = (input: object) => operator.call("PUT", `/api/allowed_keys/${id}`, { name: "watched", ...input });
  await put({ rpm: 6 });
  await put({ rpm: 7, allowed_models: ["gemini-*"] });
  await open(page, gateway, "/activity?resource=allowed_keys&action=UPDATE");
  await page.getByRole("row", { name: /watched: rpm 7/ }).click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByRole("row", { name: "rpm 6 7" })).toBeVisible();
  await expect(drawer.getByRole("row", { name: "allowed_models – gemini-*" })).toBeVisible();
  await expect(drawer.getByRole("link", { name: String(id) })).toHaveAttribute("href", `/clients?client=${id}`);
  await expect(page).toHaveURL(/line=\d+/);
});

test("new lines come by themselves, and filters are in the address", async ({ admin: page, gateway, operator }) => {
  await open(page, gateway, "/activity");
  await expect(page.getByRole("row", { name: /Logged in/ }).first()).toBeVisible();
  await operator.call("PUT", "/api/settings", { "retry.max_attempts": 4 });
  await expect(page.getByRole("row", { name: /retry\.max_attempts = 4/ })).toBeVisible();
  await page.getByRole("searchbox", { name: "Search activity" }).fill("max_attempts");
  await expect(page).toHaveURL(/q=max_attempts/);
  await expect(page.getByRole("row", { name: /Logged in/ })).toHaveCount(0);
  await page.getByText("15m", { exact: true }).click();
  await expect(page).toHaveURL(/range=15m/);
  await expect(page.getByRole("row", { name: /retry\.max_attempts = 4/ })).toBeVisible();
  await page.getByRole("searchbox", { name: "Search activity" }).fill("nobody did this");
  await expect(page.getByRole("heading", { name: "No line matches" })).toBeVisible();
});

test("everything can be read", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/activity");
  await page
    .getByRole("row", { name: /Logged in/ })
    .first()
    .click();
  await expect(page.getByRole("dialog")).toContainText("All that was done to it");
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("lines are cards", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/activity");
    await expect(page.getByRole("listitem").filter({ hasText: "Logged in" }).first()).toBeVisible();
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
    await expectAccessible(page);
  });
});
