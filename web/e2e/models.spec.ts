// Models: the grid of keys and models, its countdowns, and what is released by hand.

import type { Page } from "@playwright/test";
import { generate } from "./api.ts";
import { goodKeys } from "./gateway.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

const flash = "gemini-2.5-flash";
const pro = "gemini-2.5-pro";

test.beforeEach(async ({ operator }) => {
  await operator.call("POST", "/api/keys/bulk_delete", { filter: {} });
});

/** Where a key and a model meet. */
const cell = (page: Page, key: string, model: string) =>
  page.getByRole("table", { name: "Keys and models" }).getByRole("button", { name: `${key}, ${model}:` });

test("a throttled key is seen to cool for one model, and is released", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(["AIza-e2e-throttled-1"], { label: "throttled", project: "beta" });
  await open(page, gateway, "/models");
  await generate(gateway, flash);
  await generate(gateway, flash);
  await expect(cell(page, "throttled", flash)).toContainText("Cooling");
  await expect(cell(page, "throttled", flash)).toContainText(/\d+s/);
  await expect(cell(page, "throttled", pro)).toContainText("Usable");
  await expectAccessible(page);
  await cell(page, "throttled", flash).click();
  const dialog = page.getByRole("dialog", { name: `throttled · ${flash}` });
  await expect(dialog).toContainText("Rate limit");
  await expect(page).toHaveURL(/model=gemini-2\.5-flash/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Release" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("1 project released")).toBeVisible();
  await expect(cell(page, "throttled", flash)).toContainText("Usable");
});

test("a key that has used up its day says so", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(["AIza-e2e-out-of-day"], { label: "daily", project: "gamma" });
  await open(page, gateway, "/models");
  for (let turn = 0; turn < 3; turn += 1) await generate(gateway, flash);
  await expect(cell(page, "daily", flash)).toContainText("Used up for the day");
  await cell(page, "daily", flash).click();
  await expect(page.getByRole("dialog")).toContainText("Daily quota used up");
});

test("a model is released for all keys, and a key for all models", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(["AIza-e2e-throttled-1"], { label: "throttled", project: "beta" });
  for (const model of [flash, flash, pro, pro]) await generate(gateway, model);
  await open(page, gateway, "/models");
  await expect(cell(page, "throttled", flash)).toContainText("Cooling");
  await page.getByRole("columnheader", { name: flash, exact: false }).first().getByRole("button").click();
  await page.getByRole("dialog", { name: flash }).getByRole("button", { name: "Release all" }).click();
  await expect(cell(page, "throttled", flash)).toContainText("Usable");
  await expect(cell(page, "throttled", pro)).toContainText("Cooling");
  await page
    .getByRole("rowheader")
    .getByRole("button", { name: /throttled/ })
    .click();
  await page.getByRole("dialog", { name: "throttled" }).getByRole("button", { name: "Release all" }).click();
  await expect(cell(page, "throttled", pro)).toContainText("Usable");
});

test("the grid is used by keyboard, and a key that is off says so for every model", async ({
  admin: page,
  gateway,
  operator,
}) => {
  const [off] = await operator.addKeys(goodKeys.slice(0, 1), { label: "first" });
  await operator.addKeys(goodKeys.slice(1, 2), { label: "second" });
  await operator.call("PATCH", `/api/keys/${off}`, { enabled: false });
  await generate(gateway, flash);
  await open(page, gateway, "/models");
  await expect(cell(page, "first", flash)).toContainText("Key disabled");
  await cell(page, "first", flash).focus();
  await page.keyboard.press("ArrowDown");
  await expect(cell(page, "second", flash)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: `second · ${flash}` })).toContainText("Usable");
});

test("many keys come as they are scrolled to", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 250), { label: "many" });
  await open(page, gateway, "/models");
  await expect(page.getByText("100 of 250")).toBeVisible();
  await page.getByRole("region", { name: "Keys and models" }).evaluate((frame) => frame.scrollTo({ top: 1e6 }));
  await expect(page.getByText("200 of 250")).toBeVisible();
  expect(await page.getByRole("rowheader").count()).toBeLessThan(60);
});

test("without keys it says what to do, also in another language", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/models");
  await expect(page.getByRole("heading", { name: "No keys for this provider yet" })).toBeVisible();
  await page.evaluate(() => localStorage.setItem("keymux-language", "zh-CN"));
  await open(page, gateway, "/models");
  await expect(page.getByRole("heading", { name: "此提供商还没有密钥" })).toBeVisible();
  await expectAccessible(page);
});

test("members see their own keys, and release those", async ({ visitor: page, gateway, operator }) => {
  const kim = await operator.makeMember("kim");
  await enter(page, gateway, kim);
  await operator.addKeys(goodKeys.slice(0, 1), { label: "of-the-pool" });
  await open(page, gateway, "/models");
  await expect(page.getByRole("heading", { name: "You have no key for this provider" })).toBeVisible();
  await expectAccessible(page);
  await kim.addKeys(["AIza-e2e-throttled-1"], { label: "kim's", project: "beta" });
  const own = await operator.makeClient("kim's app", "kim");
  for (let turn = 0; turn < 2; turn += 1) expect(await generate(gateway, flash, {}, own)).toBe(200);
  await open(page, gateway, "/models");
  await expect(cell(page, "kim's", flash)).toContainText("Cooling");
  await expect(page.getByRole("rowheader")).toHaveCount(1);
  await cell(page, "kim's", flash).click();
  await page.getByRole("dialog").getByRole("button", { name: "Release" }).click();
  await expect(page.getByText("1 project released")).toBeVisible();
  await expect(cell(page, "kim's", flash)).toContainText("Usable");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("the grid scrolls within its frame", async ({ admin: page, gateway, operator }) => {
    await operator.addKeys([goodKeys[0] ?? "", "AIza-e2e-dead-0001"], { label: "pocket" });
    await generate(gateway, flash);
    await open(page, gateway, "/models");
    await expect(cell(page, "pocket", flash).first()).toBeVisible();
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
    await expectAccessible(page);
  });
});
