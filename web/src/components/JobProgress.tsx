// A long operation: how far it is, how to stop it, what it came to.

import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { isOver, type Job, resultOf, useJob } from "@/api/job";
import { useFormat } from "@/format/format";
import { type Tone, ToneBadge } from "./StatusBadge";

const tones: Record<Job["state"], Tone> = {
  queued: "info",
  running: "info",
  done: "ok",
  failed: "bad",
  cancelled: "off",
};

type JobProgressProps = {
  id: number;
  title: string;
  /** The counts of its result in words. */
  inWords?: (result: ReturnType<typeof resultOf>) => string;
  /** It has ended, however. */
  onOver?: (job: Job) => void;
  onDismiss?: () => void;
};

export function JobProgress({ id, title, inWords, onOver, onDismiss }: JobProgressProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { job, isLost, cancel, isCancelling } = useJob(id);
  const told = useRef(false);

  useEffect(() => {
    if (!job || !isOver(job) || told.current) return;
    told.current = true;
    onOver?.(job);
  }, [job, onOver]);

  if (isLost) {
    return (
      <Group justify="space-between">
        <Text size="sm">{t("job.lost", { title })}</Text>
        {onDismiss && (
          <Button variant="subtle" size="compact-sm" onClick={onDismiss}>
            {t("close")}
          </Button>
        )}
      </Group>
    );
  }
  const part = job && job.total > 0 ? (100 * job.done) / job.total : 0;
  const over = job !== undefined && isOver(job);
  const result = job ? resultOf(job) : {};
  return (
    <Stack gap={6} role="status" aria-live="polite">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text size="sm" fw={560}>
            {title}
          </Text>
          {job && <ToneBadge tone={tones[job.state]}>{t(`job.${job.state}`)}</ToneBadge>}
        </Group>
        {over ? (
          onDismiss && (
            <Button variant="subtle" size="compact-sm" onClick={onDismiss}>
              {t("close")}
            </Button>
          )
        ) : (
          <Button variant="subtle" color="gray" size="compact-sm" onClick={cancel} disabled={isCancelling || !job}>
            {t("cancel")}
          </Button>
        )}
      </Group>
      <Progress
        value={over && job?.state === "done" ? 100 : part}
        animated={!over}
        color={job?.state === "failed" ? "red" : "iris"}
        aria-label={title}
        size="sm"
      />
      <Text size="xs" c="dimmed">
        {job ? t("job.progress", { done: format.number(job.done), total: format.number(job.total) }) : t("loading")}
        {job && inWords && ` · ${inWords(result)}`}
        {typeof result.error === "string" && ` · ${result.error}`}
      </Text>
    </Stack>
  );
}
