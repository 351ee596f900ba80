// Resources: made by callers, seen with their project and their end, found by filters, forgotten. Members see their own.

import type { Page } from "@playwright/test";
import { cache, look, upload } from "./callers.ts";
import { goodKeys } from "./gateway.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

test.use({ gatewayOf: "resources" });

const model = "gemini-2.5-flash";

test.beforeEach(async ({ operator }) => {
  const { items } = (await operator.call("GET", "/api/resources?limit=500")) as {
    items: { provider: string; name: string }[];
  };
  for (const { provider, name } of items) {
    await operator.call("DELETE", `/api/resources?${new URLSearchParams({ provider, name })}`);
  }
  await operator.addKeys(goodKeys.slice(0, 1), { project: "archive" });
});

/** The row, or on a phone the card, of something. */
const row = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

test("where there is nothing it is said what would be", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/resources");
  await expect(page.getByRole("heading", { name: "Nothing belongs to a project yet" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Upload a file" })).toContainText("/upload/v1beta/files");
  await expectAccessible(page);
});

test("a file shows while one looks; forgotten, nobody reaches it", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/resources");
  const file = await upload(gateway);
  await expect(row(page, file)).toContainText(/File.*e2e.*archive.*\d+[dh]/);
  expect(await look(gateway, file)).toBe(200);
  await row(page, file)
    .getByRole("button", { name: `Forget ${file}` })
    .click();
  const dialog = page.getByRole("dialog", { name: "Forget this resource?" });
  await expect(dialog).toContainText(`whose ${file} is`);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Forget" }).click();
  await expect(page.getByText(`${file} is forgotten`)).toBeVisible();
  await expect(row(page, file)).toBeHidden();
  expect(await look(gateway, file)).toBe(404);
  await open(page, gateway, `/activity?resource=resources&resource_id=${encodeURIComponent(file)}`);
  await expect(row(page, "forgotten here")).toContainText(/admin.*Deleted.*Resources/);
});

test("resources are found by kind, client key and name, and the address keeps it", async ({
  admin: page,
  gateway,
  operator,
}) => {
  const other = await operator.makeClient("other");
  const [file, theirs] = [await upload(gateway), await upload(gateway, other)];
  const kept = await cache(gateway, model, "a long text");
  await open(page, gateway, "/resources");
  await expect(row(page, kept)).toContainText("Context cache");
  await choose(page, "Kind", "File");
  await expect(row(page, kept)).toBeHidden();
  await expect(row(page, file)).toBeVisible();
  await choose(page, "Client key", "other");
  await expect(row(page, file)).toBeHidden();
  await expect(row(page, theirs)).toBeVisible();
  await expect(page).toHaveURL(/collection=files&client=\d+/);
  await page.reload();
  await expect(row(page, theirs)).toBeVisible();
  await expect(row(page, file)).toBeHidden();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(row(page, file)).toBeVisible();
  await page.getByRole("searchbox", { name: "Search resources" }).fill(kept.slice(-6));
  await expect(row(page, theirs)).toBeHidden();
  await expect(row(page, kept)).toBeVisible();
  await page.getByRole("searchbox", { name: "Search resources" }).fill("no such name");
  await expect(page.getByRole("heading", { name: "No resource matches" })).toBeVisible();
});

test("a member sees what their own client keys made, and forgets nothing", async ({
  visitor: page,
  gateway,
  operator,
}) => {
  await enter(page, gateway, await operator.makeMember("mei"));
  const own = await operator.makeClient("mei's", "mei");
  const [file, theirs] = [await upload(gateway, own), await upload(gateway)];
  await open(page, gateway, "/resources");
  await expect(row(page, file)).toContainText("mei's");
  await expect(row(page, theirs)).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Forget/ })).toHaveCount(0);
  await expectAccessible(page);
});

test("resources can be looked at by everybody", async ({ admin: page, gateway }) => {
  const file = await upload(gateway);
  await open(page, gateway, "/resources");
  await expect(row(page, file)).toBeVisible();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("resources are cards", async ({ admin: page, gateway }) => {
    const file = await upload(gateway);
    await open(page, gateway, "/resources");
    await expect(page.getByRole("listitem").filter({ hasText: file })).toContainText("archive");
    await expectAccessible(page);
  });
});

async function choose(page: Page, filter: string, option: string) {
  await page.getByRole("combobox", { name: filter }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}
