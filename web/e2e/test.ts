// What every test has: a gateway that files share (or one of their own: `test.use({ gatewayOf: "overview" })`), an
// administrator of it, and an empty page where they are logged in: `open` goes somewhere. A page that says something in its
// console, or breaks its policy, fails its test.

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { enter, Operator } from "./api.ts";
import { type Gateway, type Setup, startGateway } from "./gateway.ts";

type Own = { admin: Page; visitor: Page; complaints: string[] };
type OfWorker = {
  /** Whoever says another name than the others has a gateway of its own, new at first. */
  gatewayOf: string;
  /** How that is started. */
  setup: Setup;
  gateway: Gateway;
  operator: Operator;
};

export const test = base.extend<Own, OfWorker>({
  gatewayOf: ["everybody", { option: true, scope: "worker" }],
  setup: [{}, { option: true, scope: "worker" }],
  gateway: [
    async ({ gatewayOf: _, setup }, use) => {
      const gateway = await startGateway(setup);
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],
  operator: [
    async ({ gateway }, use) => {
      await use(await Operator.logIn(gateway));
    },
    { scope: "worker" },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see what a fixture needs
  complaints: async ({}, use) => {
    const complaints: string[] = [];
    await use(complaints);
    expect(complaints, "what the browser complained about").toEqual([]);
  },
  /** Somebody who has no session. */
  visitor: async ({ page, complaints }, use) => {
    listen(page, complaints);
    await use(page);
  },
  admin: async ({ page, gateway, operator, complaints }, use) => {
    listen(page, complaints);
    await enter(page, gateway, operator);
    await use(page);
  },
});

export { enter, expect };

/** Goes to a page of the dashboard. */
export async function open(page: Page, gateway: Gateway, path: string) {
  await page.goto(gateway.url + path);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const ofColors = ["color-contrast", "link-in-text-block"];

/** Looks for what keeps people from using a page, in the light and in the dark. */
export async function expectAccessible(page: Page) {
  await expectNoBarrier(page, (axe) => axe.withTags(standards));
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await expectNoBarrier(page, (axe) => axe.withRules(ofColors));
  await page.emulateMedia({ colorScheme: "light" });
}

async function expectNoBarrier(page: Page, by: (axe: AxeBuilder) => AxeBuilder) {
  await expectSettled(page);
  // Rows are alike: the first few of a table stand for all. There are no frames to look into.
  const axe = new AxeBuilder({ page }).exclude("tbody tr:nth-child(n + 6)").setLegacyMode();
  const { violations } = await by(axe).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => ({
      id,
      at: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
    })),
  ).toEqual([]);
}

/**
 * Waits until nothing fades or slides in any more: what is half transparent has too little contrast. What has just been
 * asked for may begin to move a moment later.
 */
async function expectSettled(page: Page) {
  const isStill = async () => {
    for (let look = 0; look < 4; look += 1) {
      const isMoving = document
        .getAnimations()
        .some((animation) => animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
      if (isMoving) return false;
      await new Promise((wait) => setTimeout(wait, 50));
    }
    return true;
  };
  await expect.poll(() => page.evaluate(isStill)).toBe(true);
}

function listen(page: Page, complaints: string[]) {
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // Whoever is not logged in is told so by a 401, which the browser notes as well.
    const isExpected = /status of (401|404|409|422)/.test(message.text());
    if (message.type() === "error" && !isExpected) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (hostname !== "127.0.0.1" && protocol !== "data:" && protocol !== "blob:")
      complaints.push(`a request to ${request.url()}`);
  });
}
