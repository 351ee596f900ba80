// What a page is to the navigation. Which pages there are is in routes.tsx.

import type { IconGauge } from "@tabler/icons-react";
import { type ComponentType, createContext, useContext } from "react";
import { useIsAdmin } from "@/session/session";

export type PageRoute = {
  /** Its folder in pages/, its texts, and `nav.<name>` of the common texts. */
  name: string;
  path: string;
  /** The part of the navigation that it is in. */
  group: "watch" | "access" | "system" | "build";
  icon: typeof IconGauge;
  /** Goes there after `g`. */
  shortcut: string;
  /** Only administrators have a use for it. */
  isForAdmins?: boolean;
  load: () => Promise<{ default: ComponentType }>;
};

export const Pages = createContext<PageRoute[]>([]);

/** The pages that the user can go to. */
export function usePages(): PageRoute[] {
  const isAdmin = useIsAdmin();
  return useContext(Pages).filter(({ isForAdmins }) => isAdmin || !isForAdmins);
}
