// Keys: brought in, found, looked into, changed in bulk, taken out.

import { generate, type Operator } from "./api.ts";
import { goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

test.beforeEach(async ({ operator }) => {
  await operator.call("POST", "/api/keys/bulk_delete", { filter: {} });
});

test("keys are pasted, and what will happen is shown before it happens", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/keys");
  await expect(page.getByRole("heading", { name: "No keys yet" })).toBeVisible();
  await page.getByRole("button", { name: "Add keys" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Add keys" });
  await dialog.getByLabel("Keys").fill(`${goodKeys[0]}\n${goodKeys[1]} # again: ${goodKeys[0]}\n${goodKeys[0]}\nshort`);
  await expect(dialog.getByRole("status")).toContainText("2 new keys are added");
  await expect(dialog.getByRole("status")).toContainText("1 is known already, or comes twice");
  await expect(dialog.getByRole("status")).toContainText("Line 4, “short”: too short for a key");
  await expectAccessible(page);
  await dialog.getByLabel("Label").fill("pasted");
  await dialog.getByRole("button", { name: "Add 2 keys" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("row", { name: /pasted/ })).toHaveCount(2);
});

test("keys are read from a file", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/keys?import=open");
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Read a file" }).click();
  await (await chooser).setFiles({
    name: "keys.txt",
    mimeType: "text/plain",
    buffer: Buffer.from(goodKeys.slice(0, 5).join("\n")),
  });
  await page.getByRole("button", { name: "Add 5 keys" }).click();
  await expect(page.getByText("5 of 5")).toBeVisible();
});

test("search and filters are in the address, and both lead to the same list", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 3), { label: "alpha" });
  await operator.addKeys(goodKeys.slice(3, 5), { label: "beta" });
  await open(page, gateway, "/keys");
  await page.getByLabel("Search keys").fill("beta");
  await expect(page).toHaveURL(/q=beta/);
  await expect(page.getByText("2 of 2")).toBeVisible();
  await page.getByRole("combobox", { name: "State" }).click();
  await page.getByRole("option", { name: "Disabled" }).click();
  await expect(page.getByRole("heading", { name: "No key matches" })).toBeVisible();
  await open(page, gateway, "/keys?q=alpha&sort=-created_at");
  await expect(page.getByText("3 of 3")).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).first().click();
  await expect(page.getByText("5 of 5")).toBeVisible();
});

test("all that match are disabled at once, and enabled again by undo", async ({ admin: page, gateway, operator }) => {
  const ids = await operator.addKeys(goodKeys.slice(0, 150));
  await operator.call("PATCH", `/api/keys/${ids[0]}`, { enabled: false });
  await open(page, gateway, "/keys");
  await page.getByLabel("Select all that are shown").check();
  await page.getByRole("button", { name: "Select all 150 that match" }).click();
  await expect(page.getByText("150 selected: all that match")).toBeVisible();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Disable 150 keys?");
  await expect(dialog).toContainText("Active: 149");
  await expect(dialog).toContainText("Disabled: 1");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("150 keys disabled")).toBeVisible();
  await expect.poll(() => count(operator, "disabled")).toBe(150);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone")).toBeVisible();
  // The one that was off before is off again.
  expect(await count(operator, "disabled")).toBe(1);
});

test("a test of many keys shows its progress and what it found", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys([...goodKeys.slice(0, 6), "AIza-e2e-dead-0001"]);
  await open(page, gateway, "/keys");
  await page.getByLabel("Select all that are shown").check();
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Test" }).click();
  await expect(page.getByText("6 work, 1 do not")).toBeVisible();
  await expect(page.getByRole("row", { name: /0001.*Invalid/ })).toBeVisible();
});

test("many keys are deleted only by those who mean it", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 60));
  await open(page, gateway, "/keys");
  await page.getByLabel("Select all that are shown").check();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Delete" })).toBeDisabled();
  await dialog.getByLabel("Type 60 to confirm").fill("60");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { name: "No keys yet" })).toBeVisible();
});

test("Escape closes a question, then the key that it was asked of, and leads back to its row", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 1), { label: "asked-of" });
  await open(page, gateway, "/keys");
  const row = page.getByRole("row", { name: /asked-of/ });
  await row.focus();
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "asked-of", exact: true });
  await drawer.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(2);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await expect(drawer).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(row).toBeFocused();
});

test("one key shows how it stands, its requests and its history", async ({ admin: page, gateway, operator }) => {
  const [id] = await operator.addKeys(goodKeys.slice(0, 1), { label: "looked-at" });
  expect(await generate(gateway)).toBe(200);
  await open(page, gateway, "/keys");
  await page
    .getByRole("row", { name: /looked-at/ })
    .getByText("looked-at")
    .click();
  await expect(page).toHaveURL(new RegExp(`key=${id}`));
  const drawer = page.getByRole("dialog", { name: "looked-at" });
  await expect(drawer.getByRole("row", { name: /gemini-2\.5-flash.*Active/ })).toBeVisible();
  await expectAccessible(page);
  await drawer.getByRole("tab", { name: "Requests" }).click();
  await expect(drawer.getByRole("link", { name: "gemini-2.5-flash" })).toBeVisible();
  await expect(drawer.getByText(goodKeys[0] ?? "")).toBeHidden();
  await drawer.getByRole("button", { name: "Show in full" }).click();
  await expect(drawer.getByText(goodKeys[0] ?? "")).toBeVisible();
  await drawer.getByRole("tab", { name: "History" }).click();
  await expect(drawer.getByText("Secret shown")).toBeVisible();
  await drawer.getByRole("tab", { name: "Edit" }).click();
  await drawer.getByLabel("Label").fill("renamed");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("dialog", { name: "renamed" })).toBeVisible();
});

test("a throttled key is seen to cool, with the time that is left", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(["AIza-e2e-throttled-1"], { label: "throttled", project: "beta" });
  await open(page, gateway, "/keys");
  await generate(gateway);
  await generate(gateway);
  await page.getByText("throttled").click();
  const models = page.getByRole("dialog").getByRole("row", { name: /gemini-2\.5-flash/ });
  await expect(models).toContainText("Cooling");
  await expect(models).toContainText(/\d+s/);
  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await expect(models).toContainText("Active");
});

test("what checks have found is shown for each model, and checked again now", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 1), { label: "checked" });
  const [dead] = await operator.addKeys(["AIza-e2e-dead-0001"], { label: "dead" });
  expect(await generate(gateway)).toBe(200);
  await open(page, gateway, "/keys");
  await page.getByText("checked", { exact: true }).click();
  await page.getByRole("tab", { name: "Checks" }).click();
  const row = page.getByRole("dialog", { name: "checked" }).getByRole("row", { name: /gemini-2\.5-flash/ });
  await row.getByRole("button", { name: "Check gemini-2.5-flash now" }).click();
  await expect(row).toContainText("Works");
  await expect(row).toContainText(/\d+ms/);
  await expectAccessible(page);
  await open(page, gateway, `/keys?key=${dead}`);
  await page.getByRole("tab", { name: "Checks" }).click();
  await page.getByRole("button", { name: "Check all now" }).click();
  const failed = page.getByRole("dialog", { name: "dead" }).getByRole("row", { name: /gemini-2\.5-flash/ });
  await expect(failed).toContainText("Fails");
  await expect(failed).toContainText("Not valid · 400");
});

test("a key leaves by a proxy of its own, and many get another weight", async ({ admin: page, gateway, operator }) => {
  const [id] = await operator.addKeys(goodKeys.slice(0, 3), { label: "weighed" });
  await open(page, gateway, `/keys?key=${id}`);
  await page.getByRole("tab", { name: "Edit" }).click();
  const egress = page.getByRole("dialog").getByLabel("Egress");
  await egress.fill("nonsense");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(egress).toHaveAttribute("aria-invalid", "true");
  await egress.fill("socks5://user:password@10.0.0.9:1080");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Key changed")).toBeVisible();
  await expect(page.getByRole("definition").filter({ hasText: "socks5://10.0.0.9:1080" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByLabel("Select all that are shown").check();
  await page.getByRole("button", { name: "Weight" }).click();
  const dialog = page.getByRole("dialog", { name: "Give 3 keys another weight?" });
  await dialog.getByLabel("Weight").fill("7");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Weight" }).click();
  await expect(page.getByText("3 keys changed")).toBeVisible();
  expect(await weights(operator)).toEqual([7, 7, 7]);
  await page.getByRole("button", { name: "Undo" }).last().click();
  await expect.poll(() => weights(operator)).toEqual([1, 1, 1]);
});

test("the table is used by keyboard", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 4));
  await open(page, gateway, "/keys");
  const rows = page.locator("tbody tr[data-index]");
  await rows.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("Space");
  await expect(page.getByText("1 selected")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
});

test("keys are exported, in full and on purpose", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(0, 2));
  await open(page, gateway, "/keys");
  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("dialog").getByRole("button", { name: "Export" }).click();
  const stream = await (await download).createReadStream();
  const text = await new Response(stream as unknown as ReadableStream).text();
  expect(text.trim().split("\n").sort()).toEqual(goodKeys.slice(0, 2));
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("keys are cards", async ({ admin: page, gateway, operator }) => {
    await operator.addKeys(goodKeys.slice(0, 3), { label: "card" });
    await open(page, gateway, "/keys");
    await expect(page.getByRole("listitem").filter({ hasText: "card" })).toHaveCount(3);
    await expectAccessible(page);
    await page.getByRole("button", { name: /card/ }).first().click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectAccessible(page);
  });
});

async function count(operator: Operator, status: string): Promise<number> {
  const page = (await operator.call("GET", `/api/keys?status=${status}&limit=1`)) as { total: number };
  return page.total;
}

async function weights(operator: Operator): Promise<number[]> {
  const page = (await operator.call("GET", "/api/keys")) as { items: { weight: number }[] };
  return page.items.map(({ weight }) => weight);
}
