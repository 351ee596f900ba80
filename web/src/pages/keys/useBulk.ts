// Does something with many keys: at once when they are few, else as a job. What was switched can be switched back.

import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, ask, type Schema } from "@/api/client";
import { isJob, type Job, resultOf } from "@/api/job";
import { patchRows, refreshLists } from "@/api/list";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import type { RunningJob } from "./BulkJobs";
import { chosen, type Key, type KeyFilter, type KeySelection } from "./keys";

export type Deed = "test" | "reset" | "enable" | "disable" | "delete";

type Answer = Schema<"BulkResult"> | Job;

export function useBulk(onJob: (job: RunningJob) => void) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const client = useQueryClient();
  const notify = useNotify();

  const switchBack = (ids: number[], enabled: boolean) => async () => {
    const answer: Answer = await ask(api.POST("/api/keys/bulk_update", { body: { ids, set: { enabled } } }));
    if (isJob(answer)) onJob({ id: answer.id, title: t("bulk.undoing") });
    await refreshLists(client, "/api/keys");
  };

  /** Says what was done; what was switched, with the way back. */
  const tell = (deed: Deed, done: number, switched: number[] | null) => {
    const said = t(`bulk.${deed}Done`, { count: done, number: format.number(done) });
    if (switched && switched.length > 0) notify.undoable(said, switchBack(switched, deed === "disable"));
    else notify.done(said);
  };

  return async function run(deed: Deed, selection: KeySelection, filter: KeyFilter) {
    const takeBack = deed === "enable" || deed === "disable" ? showSwitched(selection, deed === "enable") : undefined;
    try {
      const answer = await call(deed, chosen(selection, filter));
      if (isJob(answer)) {
        const onOver = (job: Job) => {
          const { switched } = resultOf(job) as { switched?: unknown };
          if (job.state === "done" && Array.isArray(switched)) tell(deed, Number(resultOf(job).done ?? 0), switched);
        };
        onJob({ id: answer.id, title: t(`bulk.${deed}`), onOver });
      } else {
        tell(deed, answer.done, answer.switched ?? null);
      }
    } catch (error) {
      takeBack?.();
      throw error;
    } finally {
      void refreshLists(client, "/api/keys");
    }
  };

  /** Shows rows as they will be, before the answer has come. */
  function showSwitched(selection: KeySelection, enabled: boolean) {
    return patchRows(client, "/api/keys", (row: Key) =>
      selection.has(row.id) ? { ...row, enabled, status: enabled ? row.status : "disabled" } : row,
    );
  }
}

function call(deed: Deed, body: { ids: number[] } | { filter: KeyFilter }): Promise<Answer> {
  switch (deed) {
    case "test":
      return ask(api.POST("/api/keys/bulk_test", { body }));
    case "reset":
      return ask(api.POST("/api/keys/bulk_reset", { body }));
    case "delete":
      return ask(api.POST("/api/keys/bulk_delete", { body }));
    default:
      return ask(api.POST("/api/keys/bulk_update", { body: { ...body, set: { enabled: deed === "enable" } } }));
  }
}
