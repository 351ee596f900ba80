// Where the dashboard starts: texts first, so that nothing is shown in the wrong language; then the router, which loads
// the page that the address names.

import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "virtual:theme-variables.css";
import "./theme/tokens.css";
import "./theme/global.css";

import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider } from "react-router";
import { home } from "./api/client";
import { newQueryClient } from "./api/queries";
import { startTexts } from "./i18n";
import { routes } from "./routes";
import { theme } from "./theme/theme";

const colorSchemeManager = localStorageColorSchemeManager({ key: "keymux-color-scheme" });
const queryClient = newQueryClient();

await startTexts();
const router = createBrowserRouter(routes, { basename: home.pathname.replace(/\/$/, "") });
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      {/* Variables and classes are in style sheets: the page's policy forbids the <style> elements that Mantine would write. */}
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        colorSchemeManager={colorSchemeManager}
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <Notifications position="bottom-right" zIndex={1000} />
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
