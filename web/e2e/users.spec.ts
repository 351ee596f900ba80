// Users and the activity log: a member is made, logs in, sees only what is theirs, and all of it is written down.

import type { Page } from "@playwright/test";
import { Operator } from "./api.ts";
import type { Gateway } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

const secret = "eight or more";

test("a member is made, logs in, and sees only what is theirs", async ({ admin: page, gateway, operator, browser }) => {
  await operator.call("POST", "/api/allowed_keys", { name: "of everybody" });
  await open(page, gateway, "/users?new=open");
  const dialog = page.getByRole("dialog", { name: "New user" });
  await dialog.getByLabel("User name").fill("mei");
  await dialog.getByRole("button", { name: "Make one" }).click();
  await expect(dialog.getByRole("radio", { name: "Member" })).toBeChecked();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Create user" }).click();
  await expect(dialog).toContainText("mei can log in now");
  const password = (await dialog.getByLabel("Password of the user").textContent()) ?? "";
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: /mei/ })).toContainText("Member");

  const context = await browser.newContext();
  const own = await context.newPage();
  await logIn(own, gateway, "/clients", "mei", password);
  await expect(own.getByRole("heading", { name: "Create the first client key" })).toBeVisible();
  await expect(own.getByRole("link", { name: "Users" })).toHaveCount(0);
  await own.getByRole("button", { name: "New client key" }).first().click();
  await expect(own.getByRole("dialog").getByLabel("Owner")).toHaveCount(0);
  await own.getByRole("dialog").getByLabel("Name").fill("mei's laptop");
  await own.getByRole("button", { name: "Create client key" }).click();
  await own.getByRole("button", { name: "I have copied it" }).click();
  await expect(own.getByText("1 of 1")).toBeVisible();
  await own.goto(`${gateway.url}/users`);
  await expect(own.getByRole("heading", { name: "For administrators" })).toBeVisible();
  await own.goto(`${gateway.url}/activity`);
  await expect(own.getByText("mei's laptop").first()).toBeVisible();
  await expect(own.getByText("of everybody")).toHaveCount(0);
  await context.close();

  await open(page, gateway, "/activity?actor=mei");
  await expect(page.getByRole("row", { name: /mei.*Added.*Client keys.*mei's laptop/ })).toBeVisible();
  await open(page, gateway, "/activity?actor=admin&action=ADD");
  await expect(page.getByRole("row", { name: /admin.*Added.*Users.*mei/ })).toBeVisible();
});

test("the last administrator stays, and it is said why", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/users?user=1");
  await page.getByRole("dialog").getByRole("button", { name: "Make member" }).click();
  const told = page.getByRole("alert").filter({ hasText: "This is the last administrator" });
  await expect(told).toContainText("Make another administrator first");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  const question = page.getByRole("dialog", { name: "Delete admin?" });
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(question.getByRole("alert")).toContainText("This is the last administrator");
});

test("a new password ends the old one; who is disabled cannot log in", async ({ admin: page, gateway, operator }) => {
  const { id } = (await operator.call("POST", "/api/users", { username: "ivan", password: secret })) as { id: number };
  await open(page, gateway, `/users?user=${id}`);
  const drawer = page.getByRole("dialog", { name: "ivan" });
  await drawer.getByRole("button", { name: "New password" }).click();
  const question = page.getByRole("dialog", { name: "A new password for ivan?" });
  const password = (await question.getByLabel("Password of the user").textContent()) ?? "";
  await question.getByRole("button", { name: "Set this password" }).click();
  await expect(page.getByText("ivan has a new password")).toBeVisible();
  expect(await mayLogIn(gateway, "ivan", secret)).toBe(false);
  expect(await mayLogIn(gateway, "ivan", password)).toBe(true);
  await drawer.getByRole("button", { name: "Disable" }).click();
  await expect(drawer.getByText("Disabled")).toBeVisible();
  expect(await mayLogIn(gateway, "ivan", password)).toBe(false);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(drawer.getByText("Can log in")).toBeVisible();
  expect(await mayLogIn(gateway, "ivan", password)).toBe(true);
});

test("who owns something is deleted with it, or not at all", async ({ admin: page, gateway, operator }) => {
  const { id } = (await operator.call("POST", "/api/users", { username: "lan", password: secret })) as { id: number };
  await operator.call("POST", "/api/allowed_keys", { name: "lan's", owner: "lan" });
  await open(page, gateway, `/users?user=${id}`);
  await page.getByRole("dialog", { name: "lan" }).getByRole("button", { name: "Delete" }).click();
  const question = page.getByRole("dialog", { name: "Delete lan?" });
  await expect(question).toContainText("1 client key");
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(question.getByRole("alert")).toContainText("owns 0 keys and 1 client keys");
  await question.getByLabel("Delete what they own, too").check();
  await question.getByLabel("Type lan to confirm").fill("lan");
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("lan deleted")).toBeVisible();
  const { total } = (await operator.call("GET", "/api/allowed_keys?q=lan's")) as { total: number };
  expect(total).toBe(0);
});

test("users can be read", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/users?user=1");
  await expect(page.getByRole("dialog", { name: "admin" })).toContainText("Administrator");
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("users are cards", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/users");
    await expect(page.getByRole("listitem").filter({ hasText: "Administrator" })).toHaveCount(1);
    await expectAccessible(page);
  });
});

async function logIn(page: Page, gateway: Gateway, path: string, username: string, password: string) {
  await page.goto(gateway.url + path);
  await page.getByLabel("User name").fill(username);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

async function mayLogIn(gateway: Gateway, username: string, password: string): Promise<boolean> {
  return (await Operator.logIn(gateway, username, password)).session !== undefined;
}
