// Which rows of a list are chosen: some of those that are shown, or all that match, however many there are.

import { useCallback, useEffect, useMemo, useState } from "react";

export type RowId = number | string;

export type Selection<Id extends RowId = RowId> = {
  /** Chosen one by one; empty while all that match are chosen. */
  ids: ReadonlySet<Id>;
  /** All that match are chosen, shown or not. */
  isAll: boolean;
  has: (id: Id) => boolean;
  /** How many, of so many that match. */
  count: (total: number) => number;
  toggle: (id: Id, shown: Id[]) => void;
  /** Every row from the last that was chosen to this one. */
  extend: (id: Id, shown: Id[]) => void;
  choose: (ids: Id[]) => void;
  chooseAll: () => void;
  clear: () => void;
};

/** `query` is what the list is asked for: when it changes, other rows match, and nothing is chosen any more. */
export function useSelection<Id extends RowId>(query: object): Selection<Id> {
  const [ids, setIds] = useState<ReadonlySet<Id>>(new Set());
  const [isAll, setIsAll] = useState(false);
  const [last, setLast] = useState<Id | null>(null);

  const clear = useCallback(() => {
    setIds(new Set());
    setIsAll(false);
    setLast(null);
  }, []);
  const asked = JSON.stringify(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked is what this waits for
  useEffect(clear, [asked]);

  return useMemo(() => {
    const choose = (chosen: Iterable<Id>) => {
      setIsAll(false);
      setIds(new Set(chosen));
    };
    return {
      ids,
      isAll,
      has: (id) => isAll || ids.has(id),
      count: (total) => (isAll ? total : ids.size),
      toggle: (id, shown) => {
        const next = new Set(isAll ? shown : ids);
        if (!next.delete(id)) next.add(id);
        choose(next);
        setLast(id);
      },
      extend: (id, shown) => {
        const [begin, end] = [last === null ? -1 : shown.indexOf(last), shown.indexOf(id)].sort((a, b) => a - b);
        const between = begin === undefined || begin < 0 ? [id] : shown.slice(begin, (end ?? 0) + 1);
        choose([...ids, ...between]);
        setLast(id);
      },
      choose,
      chooseAll: () => {
        setIds(new Set());
        setIsAll(true);
      },
      clear,
    };
  }, [ids, isAll, last, clear]);
}
