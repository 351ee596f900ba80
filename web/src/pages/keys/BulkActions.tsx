// What can be done with the keys that are chosen. Each deed shows first what it will do, and to how many.

import { Alert, Button, List, Text } from "@mantine/core";
import { IconBan, IconCircleCheck, IconFlask, IconRestore, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useFormat } from "@/format/format";
import type { RunningJob } from "./BulkJobs";
import { BulkWeight } from "./BulkWeight";
import { type Key, type KeyFilter, type KeySelection, statuses, usePreview } from "./keys";
import { type Deed, useBulk } from "./useBulk";

const deeds: { name: Deed; icon: typeof IconBan; isDangerous?: boolean }[] = [
  { name: "test", icon: IconFlask },
  { name: "reset", icon: IconRestore },
  { name: "enable", icon: IconCircleCheck },
  { name: "disable", icon: IconBan },
  { name: "delete", icon: IconTrash, isDangerous: true },
];
/** Of more keys than this a deletion wants to be typed. */
const many = 50;

type BulkActionsProps = { selection: KeySelection; filter: KeyFilter; rows: Key[]; onJob: (job: RunningJob) => void };

export function BulkActions({ selection, filter, rows, onJob }: BulkActionsProps) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const [asked, setAsked] = useState<Deed | null>(null);
  // While the dialogue closes it still shows what was asked.
  const [shown, setShown] = useState<Deed>("test");
  const preview = usePreview(selection, filter, rows, asked !== null);
  const run = useBulk(onJob);
  const ask = (deed: Deed) => {
    setShown(deed);
    setAsked(deed);
  };
  const total = preview.total ?? 0;
  const skipped = shown === "delete" ? (preview.fixed ?? 0) : 0;
  const confirm = async () => {
    await run(shown, selection, filter);
    selection.clear();
  };
  return (
    <>
      {deeds.map(({ name, icon: Icon, isDangerous }) => (
        <Button
          key={name}
          size="compact-sm"
          variant="default"
          c={isDangerous ? "var(--km-bad)" : undefined}
          leftSection={<Icon size={14} />}
          onClick={() => ask(name)}
        >
          {t(`bulk.${name}`)}
        </Button>
      ))}
      <BulkWeight selection={selection} filter={filter} rows={rows} onJob={onJob} />
      <ConfirmDialog
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={t(`bulk.${shown}Title`, {
          count: total,
          number: preview.total === undefined ? "…" : format.number(total),
        })}
        confirmLabel={t(`bulk.${shown}`)}
        isDangerous={shown === "delete"}
        wordToType={shown === "delete" && total - skipped > many ? String(total - skipped) : undefined}
        onConfirm={confirm}
      >
        <Text size="sm">{t(`bulk.${shown}Text`)}</Text>
        <List size="sm" spacing={2}>
          {statuses.map((status) => {
            const count = preview.byStatus[status] ?? 0;
            return (
              count > 0 && (
                <List.Item key={status}>
                  {t("bulk.ofStatus", { number: format.number(count), status: t(`common:keyStatus.${status}`) })}
                </List.Item>
              )
            );
          })}
        </List>
        {skipped > 0 && (
          <Alert color="yellow" variant="light">
            {t("bulk.skipped", { count: skipped, number: format.number(skipped) })}
          </Alert>
        )}
      </ConfirmDialog>
    </>
  );
}
