// Gives many keys another weight: their share of the requests relative to their peers.

import { Alert, Button, NumberInput, Text } from "@mantine/core";
import { IconScale } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask, type Schema } from "@/api/client";
import { isJob, type Job } from "@/api/job";
import { refreshLists } from "@/api/list";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import type { RunningJob } from "./BulkJobs";
import { chosen, isFixed, type Key, type KeyFilter, type KeySelection, usePreview } from "./keys";

type BulkWeightProps = { selection: KeySelection; filter: KeyFilter; rows: Key[]; onJob: (job: RunningJob) => void };

export function BulkWeight({ selection, filter, rows, onJob }: BulkWeightProps) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const client = useQueryClient();
  const notify = useNotify();
  const [isOpen, setIsOpen] = useState(false);
  const [weight, setWeight] = useState(1);
  const { total = 0, fixed = 0 } = usePreview(selection, filter, rows, isOpen);

  const confirm = async () => {
    const answer = await weigh(chosen(selection, filter), weight);
    selection.clear();
    void refreshLists(client, "/api/keys");
    if (isJob(answer)) return onJob({ id: answer.id, title: t("bulk.weight") });
    const said = t("bulk.weightDone", { count: answer.done, number: format.number(answer.done) });
    // Only of those that are shown is it known what they weighed before.
    if (selection.isAll) return notify.done(said);
    notify.undoable(said, async () => {
      await weighBack(rows.filter((key) => selection.ids.has(key.id) && !isFixed(key)));
      await refreshLists(client, "/api/keys");
    });
  };
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<IconScale size={14} />} onClick={() => setIsOpen(true)}>
        {t("bulk.weight")}
      </Button>
      <ConfirmDialog
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t("bulk.weightTitle", { count: total, number: format.number(total) })}
        confirmLabel={t("bulk.weight")}
        onConfirm={confirm}
      >
        <Text size="sm">{t("bulk.weightText")}</Text>
        <NumberInput
          label={t("weight")}
          description={t("edit.weight")}
          min={1}
          max={100}
          value={weight}
          onChange={(value) => setWeight(Number(value) || 1)}
        />
        {fixed > 0 && (
          <Alert color="yellow" variant="light">
            {t("bulk.skipped", { count: fixed, number: format.number(fixed) })}
          </Alert>
        )}
      </ConfirmDialog>
    </>
  );
}

function weigh(keys: { ids: number[] } | { filter: KeyFilter }, weight: number): Promise<Schema<"BulkResult"> | Job> {
  return ask(api.POST("/api/keys/bulk_update", { body: { ...keys, set: { weight } } }));
}

async function weighBack(keys: Key[]) {
  for (const weight of new Set(keys.map((key) => key.weight))) {
    await weigh({ ids: keys.filter((key) => key.weight === weight).map(({ id }) => id) }, weight);
  }
}
