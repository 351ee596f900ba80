// Shows something as a page would be shown: with theme, texts in English, queries, an address and a stand-in for keymux.

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { createMemoryRouter, type RouteObject, RouterProvider } from "react-router";
import { vi } from "vitest";
import { newQueryClient } from "@/api/queries";
import { loadTexts, startTexts } from "@/i18n";
import { theme } from "@/theme/theme";

type Shown = { at?: string; texts?: string[]; others?: RouteObject[] };

/** Renders it, at an address and beside other pages; gives the router, and a user who can click and type. */
export async function show(element: ReactNode, { at = "/", texts = [], others = [] }: Shown = {}) {
  await startTexts("en");
  await Promise.all(texts.map(loadTexts));
  const client = newQueryClient();
  const router = createMemoryRouter([...others, { path: "*", element }], { initialEntries: [at] });
  const view = render(
    // Pictures that move are waited for nowhere: in tests they do not move.
    <MantineProvider theme={theme} env="test">
      <Notifications />
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...view, router, client, user: userEvent.setup() };
}

export type Asked = { method: string; path: string; search: URLSearchParams; body: unknown };

/** Stands in for keymux: answers each call with what the function gives, `[status, body]` or a body. Gives what was asked. */
export function answering(answer: (asked: Asked) => unknown): Asked[] {
  const calls: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const asked = {
      method: request.method,
      path: url.pathname,
      search: url.searchParams,
      body: text ? JSON.parse(text) : null,
    };
    calls.push(asked);
    const given = answer(asked);
    const [status, body] = Array.isArray(given) ? given : [200, given];
    const content = status === 204 ? null : JSON.stringify(body);
    return new Response(content, { status, headers: { "content-type": "application/json" } });
  });
  return calls;
}
