// Bans: made by hand and by keymux itself, seen to act, lifted, put back.

import { goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";
import { callAnonymously } from "./visitors.ts";

test.use({ gatewayOf: "bans", setup: { server: "auth: open, trusted_proxies: [127.0.0.1]" } });

test.beforeEach(async ({ operator }) => {
  const { items } = (await operator.call("GET", "/api/bans?limit=500")) as { items: { ip: string }[] };
  for (const { ip } of items) await operator.call("DELETE", `/api/bans/${encodeURIComponent(ip)}`);
});

test("an address is banned and refused; lifted it is let in; undone it is refused again", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  const visitor = "203.0.113.30";
  expect(await callAnonymously(gateway, visitor)).toBe(200);
  await open(page, gateway, "/bans");
  await expect(page.getByRole("heading", { name: "Nobody is banned" })).toBeVisible();
  await page.getByRole("button", { name: "Ban an address" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Ban an address" });
  await dialog.getByLabel("Address").fill(visitor);
  await dialog.getByLabel("Why").fill("scraping");
  await dialog.getByRole("button", { name: "Ban an address" }).click();
  const row = page.getByRole("row", { name: /203\.0\.113\.30\/32.*scraping.*admin/ });
  await expect(row).toContainText(/\d+h/);
  expect(await callAnonymously(gateway, visitor)).toBe(403);
  await row.getByRole("button", { name: "Lift the ban of 203.0.113.30/32" }).click();
  await expect(row).toBeHidden();
  expect(await callAnonymously(gateway, visitor)).toBe(200);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("scraping");
  expect(await callAnonymously(gateway, visitor)).toBe(403);
});

test("of IPv6 the whole /64 is banned, and that is said first", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 1));
  await open(page, gateway, "/bans?ban=open");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Address").fill("2001:db8:1:2:3::1");
  await expect(dialog).toContainText("All of 2001:db8:1:2::/64 is banned");
  await dialog.getByRole("combobox", { name: "How long" }).click();
  await page.getByRole("option", { name: "Until it is lifted" }).click();
  await dialog.getByRole("button", { name: "Ban an address" }).click();
  await expect(page.getByRole("row", { name: /2001:db8:1:2::\/64/ })).toContainText("when lifted");
  expect(await callAnonymously(gateway, "2001:db8:1:2:ffff::9")).toBe(403);
  expect(await callAnonymously(gateway, "2001:db8:1:3::9")).toBe(200);
});

test("what is no address is told at the field", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/bans?ban=open");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Address").fill("203.0.113.0/24");
  await dialog.getByRole("button", { name: "Ban an address" }).click();
  await expect(dialog).toContainText('"203.0.113.0/24" is no address');
  await expect(dialog.getByLabel("Address")).toHaveAttribute("aria-invalid", "true");
  await expectAccessible(page);
});

test("keymux bans who asks too much, and that shows while one looks", async ({ admin: page, gateway, operator }) => {
  await operator.call("PUT", "/api/settings", { "ip_limits.ban_above_per_hour": 3 });
  await open(page, gateway, "/bans");
  await expect(page.getByRole("heading", { name: "Nobody is banned" })).toBeVisible();
  const statuses: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) statuses.push(await callAnonymously(gateway, "203.0.113.31"));
  expect(statuses.at(-1)).toBe(403);
  const row = page.getByRole("row", { name: /203\.0\.113\.31\/32/ });
  await expect(row).toContainText("4 requests in an hour");
  await expect(row).toContainText("keymux itself");
  await operator.call("PUT", "/api/settings", { "ip_limits.ban_above_per_hour": null });
});

test("bans are searched, and those that match are lifted together", async ({ admin: page, gateway, operator }) => {
  for (let last = 1; last <= 4; last += 1) await operator.call("POST", "/api/bans", { ip: `198.51.100.${last}` });
  await operator.call("POST", "/api/bans", { ip: "192.0.2.1", reason: "kept" });
  await open(page, gateway, "/bans");
  await page.getByLabel("Search bans").fill("198.51");
  await expect(page.getByText("4 of 4")).toBeVisible();
  await page.getByLabel("Select all that are shown").check();
  await page.getByRole("button", { name: "Lift", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Lift 4 bans?" });
  await dialog.getByRole("button", { name: "Lift" }).click();
  await expect(page.getByText("4 addresses may call again")).toBeVisible();
  await expect(page.getByRole("heading", { name: "No ban matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).first().click();
  await expect(page.getByRole("row", { name: /192\.0\.2\.1\/32/ })).toBeVisible();
});

test("bans can be looked at by everybody", async ({ admin: page, gateway, operator }) => {
  await operator.call("POST", "/api/bans", { ip: "192.0.2.1", reason: "scraping" });
  await open(page, gateway, "/bans");
  await expect(page.getByRole("row", { name: /scraping/ })).toBeVisible();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("bans are cards", async ({ admin: page, gateway, operator }) => {
    await operator.call("POST", "/api/bans", { ip: "192.0.2.1", reason: "scraping" });
    await open(page, gateway, "/bans");
    await expect(page.getByRole("listitem").filter({ hasText: "192.0.2.1" })).toBeVisible();
    await expectAccessible(page);
  });
});
