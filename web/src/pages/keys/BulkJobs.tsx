// Bulk operations that go on: their progress, and what they came to.

import { Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Job, resultOf } from "@/api/job";
import { refreshLists } from "@/api/list";
import { JobProgress } from "@/components/JobProgress";
import { useFormat } from "@/format/format";
import classes from "./keys.module.css";

export type RunningJob = {
  id: number;
  title: string;
  /** It ended: what can be offered now, such as to undo it. */
  onOver?: (job: Job) => void;
};

export function BulkJobs({ jobs, onDismiss }: { jobs: RunningJob[]; onDismiss: (id: number) => void }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const client = useQueryClient();
  const inWords = (result: ReturnType<typeof resultOf>) => {
    const count = (value: number | string | undefined) => format.number(Number(value ?? 0));
    if ("works" in result) return t("job.tested", { works: count(result.works), failed: count(result.failed) });
    return t("job.changed", { done: count(result.done), skipped: count(result.skipped) });
  };
  if (jobs.length === 0) return null;
  return (
    <Stack className={classes.jobs} gap="md">
      {jobs.map(({ id, title, onOver }) => (
        <JobProgress
          key={id}
          id={id}
          title={title}
          inWords={inWords}
          onOver={(job) => {
            void refreshLists(client, "/api/keys");
            onOver?.(job);
          }}
          onDismiss={() => onDismiss(id)}
        />
      ))}
    </Stack>
  );
}
