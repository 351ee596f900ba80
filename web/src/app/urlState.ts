// What is looked at, in the address: filters, order, what is open. A link shows others the same, and "back" goes back.

import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

export type UrlState<Name extends string> = { [name in Name]?: string };

/** The parameters of these names, and how to change some of them; an empty text takes one away. */
export function useUrlState<const Name extends string>(
  names: readonly Name[],
): [UrlState<Name>, (change: { [name in Name]?: string | null | undefined }, how?: { push: true }) => void] {
  const [search, setSearch] = useSearchParams();
  const joined = names.join(" ");
  const state = useMemo(() => {
    const all = joined.split(" ").map((name) => [name, search.get(name)] as const);
    return Object.fromEntries(all.filter(([, value]) => value !== null && value !== "")) as UrlState<Name>;
  }, [joined, search]);
  const change = useCallback(
    (values: { [name in Name]?: string | null | undefined }, how?: { push: true }) => {
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries<string | null | undefined>(values)) {
            if (value) next.set(name, value);
            else next.delete(name);
          }
          return next;
        },
        { replace: !how?.push },
      );
    },
    [setSearch],
  );
  return [state, change];
}
