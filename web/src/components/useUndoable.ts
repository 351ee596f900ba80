// A change that is shown before it is made, is put back when it fails, and can be undone for a while.

import { useQueryClient } from "@tanstack/react-query";
import { type ListPath, refreshLists } from "@/api/list";
import { useNotify } from "./useNotify";

export type Undoable<Answer> = {
  /** Shows the change where it is seen; gives what takes that back. */
  show?: () => () => void;
  /** Makes it. */
  make: () => Promise<Answer>;
  /** Says that it is made. */
  said: (answer: Answer) => string;
  /** Makes the opposite; null: this time it cannot be undone. */
  undo: (answer: Answer) => (() => Promise<unknown>) | null;
  /** Lists that are asked for again afterwards. */
  changes: ListPath[];
};

export function useUndoable() {
  const client = useQueryClient();
  const notify = useNotify();
  return async function change<Answer>(deed: Undoable<Answer>): Promise<boolean> {
    const takeBack = deed.show?.();
    try {
      const answer = await deed.make();
      const undo = deed.undo(answer);
      const said = deed.said(answer);
      if (undo) notify.undoable(said, () => undo().finally(() => refreshLists(client, ...deed.changes)));
      else notify.done(said);
      return true;
    } catch (error) {
      takeBack?.();
      notify.failed(error);
      return false;
    } finally {
      void refreshLists(client, ...deed.changes);
    }
  };
}
