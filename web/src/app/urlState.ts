// What is looked at, in the address: filters, order, what is open. A link shows others the same, and "back" goes back.

import { useCallback, useContext, useMemo } from "react";
import { UNSAFE_DataRouterContext as RouterContext, useNavigate, useSearchParams } from "react-router";

export type UrlState<Name extends string> = { [name in Name]?: string };

/** The parameters of these names, and how to change some of them; an empty text takes one away. */
export function useUrlState<const Name extends string>(
  names: readonly Name[],
): [UrlState<Name>, (change: { [name in Name]?: string | null | undefined }, how?: { push: true }) => void] {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const router = useContext(RouterContext)?.router;
  const joined = names.join(" ");
  const state = useMemo(() => {
    const all = joined.split(" ").map((name) => [name, search.get(name)] as const);
    return Object.fromEntries(all.filter(([, value]) => value !== null && value !== "")) as UrlState<Name>;
  }, [joined, search]);
  const change = useCallback(
    (values: { [name in Name]?: string | null | undefined }, how?: { push: true }) => {
      if (!router) return;
      // What is drawn may be older than the address, so the router is asked: React takes its time over a change of the address.
      const { location, navigation } = router.state;
      const isLeaving = navigation.location && navigation.location.pathname !== location.pathname;
      // Typing that ends while another page is loading must not call its reader back.
      if (isLeaving) return;
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries<string | null | undefined>(values)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      void navigate(`?${next}`, { replace: !how?.push });
    },
    [router, navigate],
  );
  return [state, change];
}
