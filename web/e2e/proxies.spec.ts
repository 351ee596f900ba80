// Proxies: taken from the settings or found in lists, seen to carry requests, seen to fail and why, checked by hand.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { generate } from "./api.ts";
import { goodKeys } from "./gateway.ts";
import { expect, expectAccessible, open, test } from "./test.ts";

test.use({ gatewayOf: "proxies", setup: { proxies: ["http", "socks5"] } });

/** Nobody listens there. */
const dead = "http://127.0.0.1:9";

// No check is made but those that a test asks for.
test.beforeEach(async ({ operator }) => {
  await operator.call("PUT", "/api/settings", {
    "egress.proxies": null,
    "egress.sources": null,
    "egress.health_check.enabled": false,
  });
});

test("without proxies the page says what they are for, and where they are set", async ({ admin: page, gateway }) => {
  await open(page, gateway, "/proxies");
  await expect(page.getByRole("heading", { name: "Requests leave directly" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Egress settings" }).first().click();
  await expect(page.getByRole("heading", { name: "Egress", exact: true })).toBeInViewport();
  const proxies = page.getByLabel("egress.proxies", { exact: true });
  await proxies.fill(gateway.proxies.join("\n"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("1 setting saved")).toBeVisible();
  await page.getByRole("link", { name: "Proxies", exact: true }).click();
  // Nothing leaves by them: there is no key yet.
  for (const proxy of gateway.proxies)
    await expect(page.getByRole("row", { name: new RegExp(proxy) })).toContainText("Not tried yet");
});

test("a proxy that works and one that does not are told apart, with the reason and the next try", async ({
  admin: page,
  gateway,
  operator,
}) => {
  await operator.addKeys(goodKeys.slice(0, 24));
  const [working = ""] = gateway.proxies;
  await operator.call("PUT", "/api/settings", { "egress.proxies": [working, dead] });
  await open(page, gateway, "/proxies");
  const lame = page.getByRole("row", { name: new RegExp(dead) });
  await expect(lame).toBeVisible();
  // Each key keeps to one of the two; some of two dozen keep to the dead one.
  for (let turn = 0; turn < 24; turn += 1) expect(await generate(gateway)).toBe(200);
  await expect(lame).toContainText("Failed");
  await expect(lame).toContainText("Cannot be reached");
  // The first pause is short, and may be over by now.
  await expect(lame).toContainText(/again (in\s*\d|with the next request)/);
  await expect(lame).toContainText("100%");
  const good = page.getByRole("row", { name: new RegExp(working) });
  await expect(good).toContainText("Healthy");
  await expect(good).toContainText("0%");
  await page.getByLabel("Search proxies").fill("nowhere");
  await expect(page.getByRole("heading", { name: "No proxy matches" })).toBeVisible();
});

test("a proxy is checked by hand, and one that failed is used again", async ({ admin: page, gateway, operator }) => {
  await operator.addKeys(goodKeys.slice(24, 26));
  const [working = ""] = gateway.proxies;
  await operator.call("PUT", "/api/settings", { "egress.proxies": [working, dead] });
  await open(page, gateway, "/proxies");
  await page.getByRole("row", { name: new RegExp(working) }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("button", { name: "Check now" }).click();
  await expect(drawer.getByRole("status").getByText("The check passed")).toBeVisible();
  await expect(drawer).toContainText("Healthy");
  await expect(drawer.getByRole("button", { name: "Use again now" })).toBeHidden();
  await page.keyboard.press("Escape");
  await page.getByRole("row", { name: new RegExp(dead) }).click();
  await drawer.getByRole("button", { name: "Check now" }).click();
  await expect(drawer.getByRole("status")).toContainText("The check failedCannot be reached");
  await expect(drawer).toContainText("again in");
  await expectAccessible(page);
  await drawer.getByRole("button", { name: "Use again now" }).click();
  await expect(page.getByText(`${dead} is used again`)).toBeVisible();
  await expect(drawer).not.toContainText("again in");
  await expect(drawer.getByRole("button", { name: "Use again now" })).toBeHidden();
});

test("a list shows what it gave, what was left out, and why it cannot be read", async ({
  admin: page,
  gateway,
  operator,
}) => {
  const [working = ""] = gateway.proxies;
  const list = await startList([new URL(working).host, "socks4://198.51.100.7:1080", "no proxy at all"]);
  await operator.call("PUT", "/api/settings", { "egress.sources": [{ url: list.url, allow_private: true }] });
  await open(page, gateway, "/proxies");
  const row = page.getByRole("table", { name: "Lists of proxies" }).getByRole("row").nth(1);
  await expect(row).toContainText("Read");
  await page.getByRole("combobox", { name: "Found in" }).click();
  await page.getByRole("option", { name: "127.0.0.1" }).click();
  const proxies = page.getByRole("table", { name: "Proxies", exact: true });
  await expect(proxies.getByRole("row", { name: new RegExp(working) })).toContainText("127.0.0.1");
  await expect(proxies.getByRole("row", { name: /Direct/ })).toBeHidden();
  await row.click();
  const drawer = page.getByRole("dialog");
  await expect(drawer).toContainText("Not a proxy1");
  await expect(drawer).toContainText("Speaks something else, such as SOCKS41");
  await expect(drawer.getByRole("row")).toContainText("no proxy at all");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  list.fail();
  await page.getByRole("button", { name: "Read again now" }).click();
  await expect(row).toContainText("Cannot be read");
  await expect(row).toContainText("503");
  await list.stop();
});

/** A list of proxies on this machine, until it fails. */
async function startList(lines: string[]) {
  let status = 200;
  const server = createServer((_, answer) => answer.writeHead(status).end(lines.join("\n")));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/proxies.txt`,
    fail: () => {
      status = 503;
    },
    stop: () => new Promise((stopped) => server.close(stopped)),
  };
}

test("whether requests may leave directly is told", async ({ admin: page, gateway, operator }) => {
  await operator.call("PUT", "/api/settings", { "egress.proxies": [dead], "egress.fallback_to_direct": false });
  await open(page, gateway, "/proxies");
  await expect(page.getByRole("row", { name: /Direct/ })).toContainText("Requests never leave directly");
  await operator.call("PUT", "/api/settings", { "egress.fallback_to_direct": null });
  await expect(page.getByRole("row", { name: /Direct/ })).toContainText("Used when no proxy is usable");
});

test("proxies can be looked at by everybody", async ({ admin: page, gateway, operator }) => {
  await operator.call("PUT", "/api/settings", { "egress.proxies": [...gateway.proxies, dead] });
  await open(page, gateway, "/proxies");
  await expect(page.getByRole("row", { name: new RegExp(dead) })).toBeVisible();
  await expectAccessible(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("proxies are cards", async ({ admin: page, gateway, operator }) => {
    await operator.call("PUT", "/api/settings", { "egress.proxies": [...gateway.proxies, dead] });
    await open(page, gateway, "/proxies");
    await expect(page.getByRole("listitem").filter({ hasText: dead })).toBeVisible();
    await expectAccessible(page);
  });
});
