// Getting in and out, and how everything around the pages behaves.

import { Operator } from "./api.ts";
import { goodKeys, password } from "./gateway.ts";
import { enter, expect, expectAccessible, open, test } from "./test.ts";

test("whoever is not logged in logs in, and lands where they wanted to go", async ({ visitor: page, gateway }) => {
  await page.goto(`${gateway.url}/keys?status=active`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await expectAccessible(page);
  await page.getByLabel("User name").fill("admin");
  await page.getByRole("textbox", { name: "Password" }).fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toHaveText("The user name or the password is wrong.");
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${gateway.url}/keys?status=active`);
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
});

test("a link to another site does not lead there after the login", async ({ visitor: page, gateway }) => {
  await page.goto(`${gateway.url}/login?next=//example.com`);
  await page.getByLabel("User name").fill("admin");
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${gateway.url}/`);
});

test("logging out ends the session, here and for the next page", async ({ visitor: page, gateway }) => {
  await page.goto(gateway.url);
  await page.getByLabel("User name").fill("admin");
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto(`${gateway.url}/keys`);
  await expect(page).toHaveURL(/\/login/);
});

test("a session that ends elsewhere leads back to the login and then to the page", async ({
  visitor: page,
  gateway,
}) => {
  const logIn = async () => {
    await page.getByLabel("User name").fill("admin");
    await page.getByRole("textbox", { name: "Password" }).fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await page.goto(gateway.url);
  await logIn();
  await page.getByRole("link", { name: "Keys" }).first().click();
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
  await page.context().clearCookies();
  await page.getByLabel("Search keys").fill("anything");
  await expect(page).toHaveURL(/\/login\?next=%2Fkeys/);
  await logIn();
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
});

test("the language follows the browser, is switched at once, and is remembered", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/");
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("combobox", { name: "Language" }).click();
  await page.getByRole("option", { name: "Tiếng Việt" }).click();
  await expect(page.getByRole("heading", { name: "Tổng quan" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Tổng quan" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "vi");
});

test.describe("in a browser that speaks Chinese of Taiwan", () => {
  test.use({ locale: "zh-TW" });
  test("everything is in traditional characters", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/");
    await expect(page.getByRole("heading", { name: "總覽" })).toBeVisible();
  });
});

test("dark is chosen, kept, and there before anything is painted", async ({ admin: page, gateway, complaints }) => {
  await open(page, gateway, "/");
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByText("Dark", { exact: true }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  // Without its modules the page is as it is at the first paint.
  await page.route("**/assets/index.*.js", (route) => route.abort());
  await page.reload({ waitUntil: "domcontentloaded" });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  complaints.length = 0;
});

test("the keyboard finds its way", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/");
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search keys")).toBeFocused();
  await page.getByLabel("Search keys").blur();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("an address that leads nowhere says so", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/nowhere");
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "To the overview" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});

test("members see what is theirs, and no more", async ({ visitor: page, gateway, operator }) => {
  await enter(page, gateway, await operator.makeMember("sana"));
  await open(page, gateway, "/keys");
  await expect(page.getByRole("heading", { name: "No keys yet" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Export" })).toBeHidden();
  await open(page, gateway, "/");
  await expect(page.getByRole("region", { name: "Health" })).toContainText("You use the shared pool");
  for (const path of ["/settings", "/proxies", "/bans", "/users"]) {
    await open(page, gateway, path);
    await expect(page.getByRole("heading", { name: "For administrators" })).toBeVisible();
  }
});

test("a page whose code cannot be had while keymux is away comes when it is back", async ({
  admin: page,
  gateway,
  context,
  complaints,
}) => {
  await open(page, gateway, "/keys");
  await context.route("**/*", (route) => route.abort());
  await page.getByRole("link", { name: "Users" }).first().click();
  await expect(page.getByRole("heading", { name: "keymux cannot be reached" })).toBeVisible();
  await context.unroute("**/*");
  await expect(page.getByRole("heading", { name: "Users", level: 1 })).toBeVisible();
  complaints.length = 0;
});

test.describe("by plain HTTP from another machine", () => {
  test("there is no clipboard and no randomUUID, and copying and undoing work all the same", async ({
    admin: page,
    gateway,
    operator,
  }) => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
      Object.defineProperty(crypto, "randomUUID", { value: undefined });
    });
    const [id] = await operator.addKeys(goodKeys.slice(399), { label: "plain" });
    await open(page, gateway, `/keys?key=${id}`);
    const drawer = page.getByRole("dialog", { name: "plain" });
    await drawer.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(drawer.getByText("Active", { exact: true }).first()).toBeVisible();
    await open(page, gateway, "/clients?new=open");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("plain");
    await dialog.getByRole("button", { name: "Create client key" }).click();
    await dialog.getByRole("button", { name: "Copy", exact: true }).first().click();
    await expect(dialog.getByRole("button", { name: "Copied", exact: true })).toBeVisible();
  });
});

test("people change their own password, by the one until now", async ({ visitor: page, gateway, operator }) => {
  const [before, after] = ["eight or more", "something better"];
  await operator.call("POST", "/api/users", { username: "noor", password: before });
  const elsewhere = await Operator.logIn(gateway, "noor", before);
  await page.goto(`${gateway.url}/keys`);
  await page.getByLabel("User name").fill("noor");
  await page.getByRole("textbox", { name: "Password" }).fill(before);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "noor" }).click();
  await page.getByRole("button", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog", { name: "Change password" });
  const field = (name: string) => dialog.getByRole("textbox", { name, exact: true });
  const change = dialog.getByRole("button", { name: "Change password" });
  await field("Current password").fill("a wrong guess");
  await field("New password").fill("short");
  await field("New password again").fill("short");
  await expect(change).toBeDisabled();
  await field("New password").fill(after);
  await expect(dialog).toContainText("The two are not the same");
  await expect(change).toBeDisabled();
  await field("New password again").fill(after);
  await expectAccessible(page);
  await change.click();
  await expect(dialog).toContainText("This is not your password");
  await field("Current password").fill(before);
  await change.click();
  await expect(page.getByText("Password changed")).toBeVisible();
  await expect(dialog).toBeHidden();
  // This session goes on, others of this user do not; only the new password opens one.
  await page.reload();
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
  await expect(elsewhere.call("GET", "/api/me")).rejects.toThrow("401");
  await (await Operator.logIn(gateway, "noor", after)).call("GET", "/api/me");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
  test("navigation is behind a button, and nothing is wider than the screen", async ({ admin: page, gateway }) => {
    await open(page, gateway, "/");
    await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
    await page.getByRole("button", { name: "Open navigation" }).click();
    await page.getByRole("dialog").getByRole("link", { name: "Keys" }).click();
    await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
    await expect(page.getByRole("dialog")).toBeHidden();
    for (const path of ["/", "/keys"]) {
      await page.goto(new URL(path, page.url()).href);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wider, path).toBeLessThanOrEqual(0);
    }
  });
});
