// Settings: found, changed and seen to act, refused at their field, reviewed, discarded, set back.

import english from "../src/pages/settings/i18n/en.json" with { type: "json" };
import type { Operator } from "./api.ts";
import { goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";
import { callAnonymously } from "./visitors.ts";

test.use({ gatewayOf: "settings", setup: { server: "auth: open, trusted_proxies: [127.0.0.1]" } });

test.beforeEach(async ({ operator }) => {
  const { items } = (await operator.call("GET", "/api/settings")) as { items: { name: string; set_by: string }[] };
  const changed = items.filter(({ set_by }) => set_by === "stored").map(({ name }) => [name, null]);
  await operator.call("PUT", "/api/settings", Object.fromEntries(changed));
});

test("settings are described in the language that is shown, and in English as keymux does", async ({
  admin: page,
  gateway,
  operator,
}) => {
  const { items } = (await operator.call("GET", "/api/settings")) as { items: { name: string; description: string }[] };
  const told = ({ name }: { name: string }) =>
    name
      .split(".")
      .reduce<unknown>((texts, part) => (texts as Record<string, unknown> | undefined)?.[part], english.about);
  expect(items.map((item) => [item.name, told(item)])).toEqual(
    items.map(({ name, description }) => [name, description]),
  );
  await open(page, gateway, "/settings?q=max_attempts");
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("combobox", { name: "Language" }).click();
  await page.getByRole("option", { name: "Русский" }).click();
  await expect(page.getByText("Сколько попыток даётся запросу")).toBeVisible();
});

test("a limit for callers without a key acts as soon as it is saved, and is undone", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  const visitor = "203.0.113.20";
  expect(await callAnonymously(gateway, visitor)).toBe(200);
  expect(await callAnonymously(gateway, visitor)).toBe(200);
  await open(page, gateway, "/settings");
  await page.getByLabel("ip_limits.per_minute", { exact: true }).fill("1");
  const bar = page.getByRole("region", { name: "Unsaved changes" });
  await expect(bar).toContainText("1 unsaved change");
  await bar.getByRole("button", { name: "Review" }).click();
  await expect(bar.getByRole("listitem")).toContainText("ip_limits.per_minute40");
  await bar.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("1 setting saved")).toBeVisible();
  await expect(bar).toBeHidden();
  expect(await callAnonymously(gateway, visitor)).toBe(429);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone")).toBeVisible();
  await expect(page.getByLabel("ip_limits.per_minute", { exact: true })).toHaveValue("40");
  expect(await callAnonymously(gateway, visitor)).toBe(200);
});

test("a setting goes back to its default", async ({ admin: page, gateway, operator }) => {
  await operator.call("PUT", "/api/settings", { "retry.deadline": "7m" });
  await open(page, gateway, "/settings?by=stored");
  const row = page.locator("#setting-retry\\.deadline");
  await expect(row.getByLabel("retry.deadline", { exact: true })).toHaveValue("7");
  await expect(row).toContainText("Changed here");
  await row.getByRole("button", { name: "Reset to default" }).click();
  await expect(row.getByLabel("retry.deadline", { exact: true })).toHaveValue("2");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "No setting matches" })).toBeVisible();
  expect(await storedValue(operator, "retry.deadline")).toEqual({ value: "2m", set_by: "default" });
});

test("what is out of bounds is said before it is sent", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/settings");
  const deadline = page.locator("#setting-retry\\.deadline");
  await deadline.getByRole("combobox", { name: "Unit of retry.deadline" }).selectOption("days");
  await expect(deadline).toContainText("From 1s to 1d");
  await expect(page.getByText("1 is not right yet")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save" })).toBeDisabled();
  await deadline.getByLabel("retry.deadline", { exact: true }).fill("1");
  await expect(page.getByRole("button", { name: "Save" })).toBeEnabled();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(deadline.getByLabel("retry.deadline", { exact: true })).toHaveValue("2");
});

test("what keymux refuses is shown at its field, and nothing is saved", async ({ admin: page, gateway, operator }) => {
  await open(page, gateway, "/settings");
  await page.getByLabel("shedding.low", { exact: true }).fill("60");
  await page.getByLabel("server.cors_origins").fill("https://app.example");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("#setting-shedding\\.low")).toContainText("low is 60 and high is 50");
  await expect(page.getByRole("alert")).toContainText("keymux did not take shedding.low. Nothing was saved.");
  await expectAccessible(page);
  expect(await storedValue(operator, "server.cors_origins")).toEqual({ value: [], set_by: "default" });
  await page.getByLabel("shedding.low", { exact: true }).fill("50");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("2 settings saved")).toBeVisible();
  expect(await storedValue(operator, "server.cors_origins")).toEqual({
    value: ["https://app.example"],
    set_by: "stored",
  });
});

test("aliases are edited as names and models", async ({ admin: page, gateway, operator }) => {
  await open(page, gateway, "/settings?q=aliases");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByLabel("Name 1 in aliases").fill("smart");
  await page.getByLabel("Value of smart").fill("google/gemini-2.5-pro, xai/grok-4");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("1 setting saved")).toBeVisible();
  const smart = { smart: ["google/gemini-2.5-pro", "xai/grok-4"] };
  expect(await storedValue(operator, "aliases")).toEqual({ value: smart, set_by: "stored" });
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByLabel("Name 2 in aliases").fill("loop");
  await page.getByLabel("Value of loop").fill("loop");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("#setting-aliases")).toContainText("loop: leads back to itself");
});

test("what a file sets is shown with its place, and cannot be changed here", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/settings?by=file");
  const row = page.locator("#setting-server\\.shutdown_grace");
  await expect(row).toContainText("keymux.yaml:2");
  await expect(row).toContainText("change it there, and send SIGHUP");
  await expect(row.getByLabel("server.shutdown_grace", { exact: true })).toBeDisabled();
});

test("what somebody else saves meanwhile is not written over unseen", async ({ admin: page, gateway, operator }) => {
  await page.clock.install();
  await open(page, gateway, "/settings?q=max_attempts");
  const attempts = page.getByLabel("retry.max_attempts", { exact: true });
  await attempts.fill("9");
  await operator.call("PUT", "/api/settings", { "retry.max_attempts": 7 });
  // Settings are asked for again by themselves, though not at once.
  await page.clock.fastForward("01:00");
  await expect(page.getByText("Somebody else has changed this meanwhile.").first()).toBeVisible();
  await expect(page.getByText("Before: 7")).toBeVisible();
  await expect(attempts).toHaveValue("9");
});

test("changes are not lost by going elsewhere", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/settings");
  await page.getByLabel("retry.max_attempts", { exact: true }).fill("8");
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByLabel("retry.max_attempts", { exact: true })).toHaveValue("8");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("1 setting saved")).toBeVisible();
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Keys" })).toBeVisible();
});

test("sections are found at the side, and by a link", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/settings#section-logs");
  await expect(page.getByRole("heading", { name: "Logs", exact: true })).toBeInViewport();
  await page
    .getByRole("navigation", { name: "Sections" })
    .getByRole("link", { name: /Shedding/ })
    .click();
  await expect(page.getByRole("heading", { name: "Shedding", exact: true })).toBeInViewport();
});

test("settings can be used by everybody", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/settings");
  await page.getByLabel("retry.max_attempts", { exact: true }).fill("0");
  await page.getByRole("button", { name: "Review" }).click();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("settings fit", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/settings");
    await page.getByLabel("retry.max_attempts", { exact: true }).fill("6");
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

async function storedValue(operator: Operator, name: string) {
  const { items } = (await operator.call("GET", "/api/settings")) as {
    items: { name: string; value: unknown; set_by: string }[];
  };
  const found = items.find((setting) => setting.name === name);
  return found && { value: found.value, set_by: found.set_by };
}
