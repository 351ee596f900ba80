// The overview: what it says of a gateway that is new, that works, and that does not.

import { generate } from "./api.ts";
import { cache } from "./callers.ts";
import { goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

test.use({ gatewayOf: "overview" });
test.describe.configure({ mode: "serial" });

test("a new gateway teaches the first steps", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/");
  await expect(page.getByText("Three steps to the first answer")).toBeVisible();
  await expect(page.getByRole("region", { name: "curl" })).toContainText("/v1/chat/completions");
  await expectAccessible(page);
  await page.getByRole("link", { name: "Add keys" }).click();
  await expect(page.getByRole("dialog", { name: "Add keys" })).toBeVisible();
});

test("traffic shows as it happens", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(300, 310));
  await open(page, gateway, "/?range=15m");
  await expect(page.getByRole("region", { name: "Health" })).toContainText("Healthy");
  await expect(page.getByRole("main").or(page.locator("aside")).getByText("Live").first()).toBeVisible();
  for (let turn = 0; turn < 12; turn += 1) expect(await generate(gateway)).toBe(200);
  await expect(page.getByText("12/min")).toBeVisible();
  // Lists are of what is written down, which comes a little later.
  await expect(page.getByRole("region", { name: "Top models" })).toContainText("google/gemini-2.5-flash");
  await expect(page.getByRole("region", { name: "Top clients" })).toContainText("e2e");
  const requests = page.getByRole("region", { name: "Requests", exact: true });
  await requests.first().getByRole("button", { name: "Show as table: Requests" }).click();
  await expect(requests.getByRole("columnheader", { name: "Succeeded" })).toBeVisible();
  await expectAccessible(page);
});

test("input that a provider remembered stands apart", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(300, 310));
  const cachedContent = await cache(gateway, "gemini-2.5-flash", "words ".repeat(2000));
  expect(await generate(gateway, "gemini-2.5-flash", { cachedContent })).toBe(200);
  await open(page, gateway, "/?range=15m");
  const tokens = page.getByRole("region", { name: "Tokens", exact: true });
  await expect(tokens).toContainText(/\d% of input cached/);
  await expect(tokens).toContainText(/Cached input: last/);
});

test("everything can be read", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/?range=15m");
  await expect(page.getByRole("region", { name: "Top models" })).toBeVisible();
  await expectAccessible(page);
});

test("a stream that drops is said, and opened again", async ({ admin: page, gateway, context, complaints }) => {
  await open(page, gateway, "/");
  const badge = page.locator("aside").getByRole("status");
  await expect(badge).toHaveText("Live");
  await context.route("**/api/events", (route) => route.abort());
  await page.reload();
  await expect(badge).toHaveText("Reconnecting");
  await context.unroute("**/api/events");
  await expect(badge).toHaveText("Live");
  complaints.length = 0;
});

test("a gateway that does not answer is not called healthy, and is again when it does", async ({
  admin: page,
  gateway,
  context,
  complaints,
}) => {
  await open(page, gateway, "/");
  const health = page.getByRole("region", { name: "Health" });
  await expect(health).toContainText("Healthy");
  await context.route("**/api/**", (route) => route.abort());
  // What is under way is not cut off by that: the stream breaks when the page is left and come back to.
  await page.getByRole("link", { name: "Keys", exact: true }).first().click();
  await page.getByRole("link", { name: "Overview" }).first().click();
  await expect(health).toContainText("keymux cannot be reached");
  await expect(health).toContainText("What you see is from");
  await context.unroute("**/api/**");
  await expect(health).toContainText("Healthy");
  complaints.length = 0;
});

test("when most requests fail, that is said, with the way to why", async ({ admin: page, gateway }) => {
  for (let turn = 0; turn < 30; turn += 1) expect(await generate(gateway, "no-such-model")).toBe(404);
  await open(page, gateway, "/");
  const health = page.getByRole("region", { name: "Health" });
  await expect(health).toContainText("Many requests fail");
  await health.getByRole("link", { name: "See why" }).click();
  await expect(page).toHaveURL(/\/requests\?status=failed/);
  await expect(page.getByRole("row", { name: /404/ }).first()).toBeVisible();
});

test("a gateway without a usable key says what to do", async ({ admin: page, gateway, operator }) => {
  await operator.call("POST", "/api/keys/bulk_update", { filter: {}, set: { enabled: false } });
  await open(page, gateway, "/");
  const health = page.getByRole("region", { name: "Health" });
  await expect(health).toContainText("No key is usable");
  await health.getByRole("link", { name: "Look at them" }).click();
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
  await operator.call("POST", "/api/keys/bulk_update", { filter: {}, set: { enabled: true } });
});
