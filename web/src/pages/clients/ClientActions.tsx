// What can be done with one client key.

import { Button, Group, List, Text } from "@mantine/core";
import { IconBan, IconCircleCheck, IconCopyPlus, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { patchRows, refreshLists } from "@/api/list";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { useUndoable } from "@/components/useUndoable";
import { useFormat } from "@/format/format";
import { type Client, inputOf, isFixed, putClient } from "./clients";

type ActionsProps = { of: Client; onDeleted: () => void; onCopy: () => void };

export function ClientActions({ of: client, onDeleted, onCopy }: ActionsProps) {
  const { t } = useTranslation("clients");
  const [isDeleting, setIsDeleting] = useState(false);
  const toggle = useToggle(client);
  const Toggle = client.enabled ? IconBan : IconCircleCheck;
  const shared = { variant: "default", size: "xs" } as const;
  const fixed = isFixed(client) ? { disabled: true, title: t("fixed") } : {};
  return (
    <Group gap="xs">
      <Button {...shared} {...fixed} leftSection={<Toggle size={15} />} onClick={() => void toggle()}>
        {t(client.enabled ? "disable" : "enable")}
      </Button>
      <Button {...shared} leftSection={<IconCopyPlus size={15} />} onClick={onCopy} title={t("copyHint")}>
        {t("copy")}
      </Button>
      <Button
        {...shared}
        {...fixed}
        c="var(--km-bad)"
        leftSection={<IconTrash size={15} />}
        onClick={() => setIsDeleting(true)}
      >
        {t("delete.action")}
      </Button>
      <DeleteDialog of={client} opened={isDeleting} onClose={() => setIsDeleting(false)} onDeleted={onDeleted} />
    </Group>
  );
}

/** Switches it; for a while that can be undone. */
function useToggle(client: Client) {
  const { t } = useTranslation("clients");
  const queries = useQueryClient();
  const change = useUndoable();
  const put = async (enabled: boolean) => {
    await putClient(client.id, { ...inputOf(client), enabled });
    await queries.invalidateQueries({ queryKey: ["client", client.id] });
  };
  return () => {
    const enabled = !client.enabled;
    return change({
      show: () => patchRows(queries, "/api/allowed_keys", (row) => (row.id === client.id ? { ...row, enabled } : row)),
      make: () => put(enabled),
      said: () => t(enabled ? "enabled" : "disabled", { name: client.name }),
      undo: () => () => put(!enabled),
      changes: ["/api/allowed_keys"],
    });
  };
}

type DeleteProps = { of: Client; opened: boolean; onClose: () => void; onDeleted: () => void };

function DeleteDialog({ of: client, opened, onClose, onDeleted }: DeleteProps) {
  const { t } = useTranslation("clients");
  const format = useFormat();
  const queries = useQueryClient();
  const notify = useNotify();
  const today = client.usage.rpd.used;
  const remove = async () => {
    await ask(api.DELETE("/api/allowed_keys/{id}", { params: { path: { id: client.id } } }));
    onDeleted();
    void refreshLists(queries, "/api/allowed_keys");
    notify.done(t("delete.done", { name: client.name }));
  };
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title={t("delete.title", { name: client.name })}
      confirmLabel={t("delete.action")}
      isDangerous
      // What is in use is deleted only by those who mean it.
      wordToType={today > 0 ? client.name : undefined}
      onConfirm={remove}
    >
      <List size="sm" spacing={4}>
        <List.Item>{t("delete.refused")}</List.Item>
        <List.Item>{t("delete.today", { count: today, number: format.number(today) })}</List.Item>
        <List.Item>{t("delete.files")}</List.Item>
      </List>
      <Text size="sm" c="dimmed">
        {t("delete.forGood")}
      </Text>
    </ConfirmDialog>
  );
}
