// What a page has asked for while it was looked at: how large the answers were, and how long they took.

import type { Page, Request } from "@playwright/test";

export type Answer = {
  path: string;
  /** In bytes, as they came over the network, and as the page gets them. */
  transferred: number;
  decoded: number;
  ms: number;
  /** One of the admin API, and no file of the dashboard. */
  isCall: boolean;
};

/** What a page asks for, but for the stream of events, which never ends. */
export class Network {
  readonly #ended: Request[] = [];
  readonly #underWay = new Set<Request>();

  constructor(page: Page) {
    page.on("request", (request) => {
      if (!request.url().endsWith("/api/events")) this.#underWay.add(request);
    });
    page.on("requestfinished", (request) => {
      if (this.#underWay.delete(request)) this.#ended.push(request);
    });
    page.on("requestfailed", (request) => this.#underWay.delete(request));
  }

  /** Waits until nothing is under way. */
  async quiet() {
    for (let still = 0; still < 3; still = this.#underWay.size === 0 ? still + 1 : 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  answers(): Promise<Answer[]> {
    return Promise.all(this.#ended.map(answerOf));
  }
}

async function answerOf(request: Request): Promise<Answer> {
  const { pathname, search } = new URL(request.url());
  const { responseBodySize } = await request.sizes();
  const body = await (await request.response())?.body();
  const { requestStart, responseEnd } = request.timing();
  return {
    path: pathname + search,
    transferred: responseBodySize,
    decoded: body?.length ?? 0,
    ms: responseEnd - requestStart,
    isCall: pathname.startsWith("/api/"),
  };
}
