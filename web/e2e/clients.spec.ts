// Client keys: made, called with, limited, switched off, deleted.

import type { Page } from "@playwright/test";
import type { Operator } from "./api.ts";
import { type Gateway, goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

test.beforeAll(async ({ operator }) => {
  await operator.addKeys(goodKeys.slice(0, 5));
});

test("a client key is made, its secret is shown once, and callers are let in with it", async ({
  admin: page,
  gateway,
}) => {
  await open(page, gateway, "/clients");
  await page.getByRole("button", { name: "New client key" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Requests a minute")).toHaveValue("60");
  await expectAccessible(page);
  await dialog.getByLabel("Name").fill("chat app");
  await dialog.getByRole("button", { name: "Create client key" }).click();
  await expect(dialog).toContainText("It is shown this once");
  const secret = (await dialog.getByLabel("Secret of the client key").textContent()) ?? "";
  await expect(dialog.getByRole("region", { name: "curl" })).toContainText(`${gateway.url}/v1/chat/completions`);
  await expect(dialog.getByRole("region", { name: "curl" })).toContainText(secret);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByRole("row", { name: /chat app/ })).toContainText("Active");
  await expect(page.getByText(secret)).toBeHidden();
  expect(await call(gateway, secret)).toBe(200);
});

test("what is wrong with a value is said at its field", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/clients?new=open");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("mistaken");
  await dialog.getByLabel("Addresses").fill("nowhere");
  await dialog.getByRole("button", { name: "Create client key" }).click();
  await expect(dialog.getByRole("alert")).toContainText("allowed_ips");
  await expect(dialog.getByText(/nowhere. is not an address/).first()).toBeVisible();
});

test("a limit is reached, and it is seen how much is used and when it comes back", async ({
  admin: page,
  gateway,
  operator,
}) => {
  const { id, key } = await made(operator, { name: "limited", rpm: 2 });
  await open(page, gateway, `/clients?client=${id}`);
  const drawer = page.getByRole("dialog", { name: "limited" });
  const meter = drawer.getByRole("meter", { name: "Requests a minute" });
  await expect(meter).toHaveAttribute("aria-valuetext", "0 / 2");
  expect(await call(gateway, key)).toBe(200);
  expect(await call(gateway, key)).toBe(200);
  expect(await call(gateway, key)).toBe(429);
  // Seen without a reload: the stream tells of requests.
  await expect(meter).toHaveAttribute("aria-valuetext", "2 / 2");
  await expect(drawer.getByText(/resets in/)).not.toHaveCount(0);
  await expect(drawer.getByRole("region", { name: "Top models" })).toContainText("gemini-2.5-flash");
  await drawer.getByRole("tab", { name: "Requests" }).click();
  await expect(drawer.getByText("429")).toBeVisible();
  await expect(drawer.getByRole("link", { name: "All its requests" })).toHaveAttribute(
    "href",
    `/requests?client=${id}`,
  );
});

test("what is disabled is refused, until that is undone", async ({ admin: page, gateway, operator }) => {
  const { id, key } = await made(operator, { name: "switched", rpd: 100, allowed_models: ["gemini-*"] });
  await open(page, gateway, `/clients?client=${id}`);
  const drawer = page.getByRole("dialog", { name: "switched" });
  await drawer.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("switched is refused from now on")).toBeVisible();
  expect(await call(gateway, key)).toBe(401);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone")).toBeVisible();
  expect(await call(gateway, key)).toBe(200);
  // Nothing else about it was changed by that.
  const after = (await operator.call("GET", `/api/allowed_keys/${id}`)) as { rpd: number; allowed_models: string[] };
  expect(after).toMatchObject({ rpd: 100, allowed_models: ["gemini-*"] });
});

test("limits are edited, and what was not touched stays", async ({ admin: page, gateway, operator }) => {
  const expires_at = "2099-01-02T03:04:05.000Z";
  const { id } = await made(operator, { name: "edited", rpm: 5, expires_at });
  await open(page, gateway, `/clients?client=${id}`);
  const drawer = page.getByRole("dialog", { name: "edited" });
  await drawer.getByRole("tab", { name: "Edit" }).click();
  await drawer.getByLabel("Requests a minute").fill("7");
  await drawer.getByLabel("Budget (USD)").fill("2.5");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("edited changed")).toBeVisible();
  const after = await operator.call("GET", `/api/allowed_keys/${id}`);
  expect(after).toMatchObject({ name: "edited", rpm: 7, budget_usd: 2.5, expires_at, enabled: true });
});

test("what is in use is deleted only by those who mean it", async ({ admin: page, gateway, operator }) => {
  const { id, key } = await made(operator, { name: "doomed" });
  expect(await call(gateway, key)).toBe(200);
  await open(page, gateway, `/clients?client=${id}`);
  await page.getByRole("dialog", { name: "doomed" }).getByRole("button", { name: "Delete" }).click();
  const question = page.getByRole("dialog", { name: "Delete doomed?" });
  await expect(question).toContainText("1 request came with it today.");
  await expect(question.getByRole("button", { name: "Delete" })).toBeDisabled();
  await question.getByLabel("Type doomed to confirm").fill("doomed");
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("doomed deleted")).toBeVisible();
  await expect(page.getByRole("row", { name: /doomed/ })).toHaveCount(0);
  expect(await call(gateway, key)).toBe(401);
});

test("another one like it begins with the same limits", async ({ admin: page, gateway, operator }) => {
  const { id } = await made(operator, { name: "model", tpd: 1234, allowed_providers: ["google"] });
  await open(page, gateway, `/clients?client=${id}`);
  await page.getByRole("button", { name: "Another like it" }).click();
  const dialog = page.getByRole("dialog", { name: "New client key" });
  await expect(dialog.getByLabel("Name")).toHaveValue("model (new)");
  await dialog.getByRole("button", { name: "Create client key" }).click();
  await dialog.or(page.getByRole("dialog")).getByRole("button", { name: "I have copied it" }).click();
  const { items } = (await operator.call("GET", "/api/allowed_keys?q=model%20(new)")) as { items: object[] };
  expect(items).toMatchObject([{ tpd: 1234, allowed_providers: ["google"] }]);
});

test("what the configuration states is shown, and cannot be changed here", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/clients?client=1");
  const drawer = page.getByRole("dialog", { name: "e2e" });
  await expect(drawer.getByText("Configuration")).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Delete" })).toBeDisabled();
  await drawer.getByRole("tab", { name: "Edit" }).click();
  await expect(drawer.getByText("Change it there.")).toBeVisible();
});

test("search and filters are in the address", async ({ admin: page, gateway, operator }) => {
  await made(operator, { name: "needle" });
  await made(operator, { name: "needle off", enabled: false });
  await open(page, gateway, "/clients?q=needle");
  await expect(page.getByText("2 of 2")).toBeVisible();
  await page.getByRole("combobox", { name: "State" }).click();
  await page.getByRole("option", { name: "Disabled" }).click();
  await expect(page).toHaveURL(/enabled=false/);
  await expect(page.getByText("1 of 1")).toBeVisible();
  await page.getByRole("searchbox", { name: "Search clients" }).fill("nobody has this");
  await expect(page.getByRole("heading", { name: "No client key matches" })).toBeVisible();
});

test("everything can be read", async ({ admin: page, gateway, operator }) => {
  const { id, key } = await made(operator, { name: `read`, rpm: 1, allowed_models: ["gemini-*"] });
  await call(gateway, key);
  await open(page, gateway, "/clients");
  await expect(page.getByRole("row", { name: /read/ })).toBeVisible();
  await expectAccessible(page);
  await open(page, gateway, `/clients?client=${id}`);
  await expect(page.getByRole("region", { name: "Top models" })).toContainText("gemini");
  await expectAccessible(page);
  await page.getByRole("tab", { name: "Edit" }).click();
  await expect(page.getByRole("button", { name: "Save" })).toBeVisible();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("client keys are cards", async ({ admin: page, gateway, operator }) => {
    await made(operator, { name: `pocket`, rpm: 3 });
    await open(page, gateway, `/clients?q=pocket`);
    await expect(page.getByRole("listitem").filter({ hasText: "pocket" })).toHaveCount(1);
    await expectNarrow(page);
    await expectAccessible(page);
    await page.getByRole("button", { name: /pocket/ }).click();
    await expect(page.getByRole("meter", { name: "Requests a minute" }).last()).toBeVisible();
    await expectAccessible(page);
    await open(page, gateway, "/clients?new=open");
    await expect(page.getByLabel("Name")).toBeVisible();
    await expectNarrow(page);
    await expectAccessible(page);
  });
});

type Made = { id: number; key: string };

async function made(operator: Operator, input: object): Promise<Made> {
  return (await operator.call("POST", "/api/allowed_keys", input)) as Made;
}

/** Asks for an answer with a client key; gives the status. */
async function call(gateway: Gateway, key: string): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "google/gemini-2.5-flash", messages: [{ role: "user", content: "Say hello" }] }),
  });
  await answer.text();
  return answer.status;
}

async function expectNarrow(page: Page) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider).toBeLessThanOrEqual(0);
}
