// A caller of Google's Live API: a WebSocket in a page of its own.

import type { Page } from "@playwright/test";
import { clientKey, type Gateway } from "./gateway.ts";

export const liveModel = "gemini-live-2.5-flash";

type Closed = { code: number; reason: string };
type WithSocket = { socket: WebSocket; ended: Promise<Closed> };

/** Somebody at Google's Live API, in an empty page of their own. */
export class LiveCaller {
  private constructor(private readonly page: Page) {}

  /** Opens a session, and waits until it is set up. */
  static async connect(beside: Page, gateway: Gateway, key = clientKey): Promise<LiveCaller> {
    const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    const url = `${gateway.url.replace("http", "ws")}${path}?key=${key}`;
    const page = await beside.context().newPage();
    await page.evaluate(
      async ([url, setup]) => {
        const socket = new WebSocket(url);
        const own = window as unknown as WithSocket;
        own.socket = socket;
        own.ended = new Promise((tell) => {
          socket.onclose = ({ code, reason }) => tell({ code, reason });
        });
        await new Promise((opened, refused) => {
          socket.onopen = opened;
          socket.onerror = () => refused(new Error("the session was refused"));
        });
        socket.send(setup);
        await new Promise((answered) => {
          socket.onmessage = answered;
        });
      },
      [url, JSON.stringify({ setup: { model: `models/${liveModel}` } })] as const,
    );
    return new LiveCaller(page);
  }

  async say(text: string) {
    const turns = [{ role: "user", parts: [{ text }] }];
    const message = JSON.stringify({ clientContent: { turns, turnComplete: true } });
    await this.page.evaluate((said) => (window as unknown as WithSocket).socket.send(said), message);
  }

  /** How it was closed. */
  closed(): Promise<Closed> {
    return this.page.evaluate(() => (window as unknown as WithSocket).ended);
  }

  leave(): Promise<void> {
    return this.page.close();
  }
}
