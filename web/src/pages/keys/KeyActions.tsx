// What can be done with one key.

import { Button, Group, Text } from "@mantine/core";
import { IconBan, IconCircleCheck, IconFlask, IconRestore, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { patchRows, refreshLists } from "@/api/list";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { useReason } from "@/components/useReason";
import { useUndoable } from "@/components/useUndoable";
import { useFormat } from "@/format/format";
import { isFixed, type Key, nameOf } from "./keys";

export function KeyActions({ of: key, onDeleted }: { of: Key; onDeleted: () => void }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const client = useQueryClient();
  const notify = useNotify();
  const reason = useReason();
  const change = useUndoable();
  const [isDeleting, setIsDeleting] = useState(false);
  const path = { path: { id: key.id } };
  const afterwards = () => {
    void refreshLists(client, "/api/keys");
    void client.invalidateQueries({ queryKey: ["key", key.id] });
  };
  const test = useMutation({
    mutationFn: () => ask(api.POST("/api/keys/{id}/test", { params: path })),
    onSuccess: (result) => {
      const took = format.latency(result.latency_ms);
      if (result.works) notify.done(t("test.works", { took }));
      else notify.failed(new Error(t("test.fails", { reason: reason(result.reason), took })));
    },
    onError: notify.failed,
    onSettled: afterwards,
  });
  const reset = useMutation({
    mutationFn: () => ask(api.POST("/api/keys/{id}/reset", { params: path })),
    onSuccess: () => notify.done(t("resetDone")),
    onError: notify.failed,
    onSettled: afterwards,
  });
  const setEnabled = (enabled: boolean) => ask(api.PATCH("/api/keys/{id}", { params: path, body: { enabled } }));
  const toggle = async () => {
    const enabled = !key.enabled;
    await change({
      show: () =>
        patchRows(client, "/api/keys", (row) =>
          row.id === key.id ? { ...row, enabled, status: enabled ? row.status : "disabled" } : row,
        ),
      make: () => setEnabled(enabled),
      said: () => t(enabled ? "enabledDone" : "disabledDone", { name: nameOf(key) }),
      undo: () => () => setEnabled(!enabled).then(afterwards),
      changes: ["/api/keys"],
    });
    afterwards();
  };
  const remove = async () => {
    await ask(api.DELETE("/api/keys/{id}", { params: path }));
    onDeleted();
    void refreshLists(client, "/api/keys");
    notify.done(t("deletedDone", { name: nameOf(key) }));
  };
  const Toggle = key.enabled ? IconBan : IconCircleCheck;
  return (
    <Group gap="xs">
      <Button
        variant="default"
        size="xs"
        leftSection={<IconFlask size={15} />}
        loading={test.isPending}
        onClick={() => test.mutate()}
      >
        {t("bulk.test")}
      </Button>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconRestore size={15} />}
        loading={reset.isPending}
        onClick={() => reset.mutate()}
      >
        {t("bulk.reset")}
      </Button>
      <Button variant="default" size="xs" leftSection={<Toggle size={15} />} onClick={() => void toggle()}>
        {t(key.enabled ? "bulk.disable" : "bulk.enable")}
      </Button>
      <Button
        variant="default"
        size="xs"
        c="var(--km-bad)"
        leftSection={<IconTrash size={15} />}
        onClick={() => setIsDeleting(true)}
        disabled={isFixed(key)}
        title={isFixed(key) ? t("fixed") : undefined}
      >
        {t("bulk.delete")}
      </Button>
      <ConfirmDialog
        opened={isDeleting}
        onClose={() => setIsDeleting(false)}
        title={t("deleteOne", { name: nameOf(key) })}
        confirmLabel={t("bulk.delete")}
        isDangerous
        onConfirm={remove}
      >
        <Text size="sm">{t("bulk.deleteText")}</Text>
      </ConfirmDialog>
    </Group>
  );
}
