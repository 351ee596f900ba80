// Every page: its path, where it stands in the navigation, and the code that is loaded when somebody goes there. A path has
// one segment: what is open within a page is in the query (`/keys?key=17`).

import {
  IconBan,
  IconBroadcast,
  IconFolders,
  IconGauge,
  IconGridDots,
  IconHistory,
  IconKey,
  IconList,
  IconMessages,
  IconPlugConnected,
  IconRoute,
  IconSettings,
  IconUsers,
} from "@tabler/icons-react";
import type { RouteObject } from "react-router";
import { ErrorPage } from "./app/ErrorPage";
import { Layout } from "./app/Layout";
import { NotFound } from "./app/NotFound";
import type { PageRoute } from "./app/pages";
import { LoadingPage } from "./components/states";
import { loadTexts } from "./i18n";

export const pages: PageRoute[] = [
  {
    name: "overview",
    path: "/",
    group: "watch",
    icon: IconGauge,
    shortcut: "o",
    load: () => import("./pages/overview"),
  },
  { name: "keys", path: "/keys", group: "watch", icon: IconKey, shortcut: "k", load: () => import("./pages/keys") },
  {
    name: "models",
    path: "/models",
    group: "watch",
    icon: IconGridDots,
    shortcut: "m",
    load: () => import("./pages/models"),
  },
  {
    name: "requests",
    path: "/requests",
    group: "watch",
    icon: IconList,
    shortcut: "r",
    load: () => import("./pages/requests"),
  },
  {
    name: "live",
    path: "/live",
    group: "watch",
    icon: IconBroadcast,
    shortcut: "l",
    load: () => import("./pages/live"),
  },
  {
    name: "resources",
    path: "/resources",
    group: "watch",
    icon: IconFolders,
    shortcut: "f",
    load: () => import("./pages/resources"),
  },
  {
    name: "clients",
    path: "/clients",
    group: "access",
    icon: IconPlugConnected,
    shortcut: "c",
    load: () => import("./pages/clients"),
  },
  {
    name: "users",
    path: "/users",
    group: "access",
    icon: IconUsers,
    shortcut: "u",
    isForAdmins: true,
    load: () => import("./pages/users"),
  },
  {
    name: "activity",
    path: "/activity",
    group: "access",
    icon: IconHistory,
    shortcut: "a",
    load: () => import("./pages/activity"),
  },
  {
    name: "playground",
    path: "/playground",
    group: "build",
    icon: IconMessages,
    shortcut: "t",
    load: () => import("./pages/playground"),
  },
  {
    name: "bans",
    path: "/bans",
    group: "access",
    icon: IconBan,
    shortcut: "b",
    isForAdmins: true,
    load: () => import("./pages/bans"),
  },
  {
    name: "proxies",
    path: "/proxies",
    group: "system",
    icon: IconRoute,
    shortcut: "x",
    isForAdmins: true,
    load: () => import("./pages/proxies"),
  },
  {
    name: "settings",
    path: "/settings",
    group: "system",
    icon: IconSettings,
    shortcut: "s",
    isForAdmins: true,
    load: () => import("./pages/settings"),
  },
];

type Loaded = Pick<PageRoute, "name" | "load">;

/** A page is shown when it and its texts have come. */
async function loaded({ name, load }: Loaded) {
  const [page] = await Promise.all([load(), loadTexts(name)]);
  return { Component: page.default };
}

const login: Loaded = { name: "login", load: () => import("./pages/login") };

export const routes: RouteObject[] = [
  {
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <LoadingPage />,
    children: [
      { path: "/login", lazy: () => loaded(login) },
      {
        element: <Layout pages={pages} />,
        children: [
          {
            errorElement: <ErrorPage isWithin />,
            children: [
              ...pages.map((page) => ({
                path: page.path,
                lazy: () => loaded(page),
                hydrateFallbackElement: <LoadingPage />,
              })),
              { path: "*", element: <NotFound /> },
            ],
          },
        ],
      },
    ],
  },
];
