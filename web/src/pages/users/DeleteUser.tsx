// Deletes a user; what they own goes only when that is said.

import { Checkbox, List, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { refreshLists } from "@/api/list";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import { type User, useOwned } from "./users";

type DeleteProps = { of: User; opened: boolean; onClose: () => void; onDeleted: () => void };

export function DeleteUser({ of: user, opened, onClose, onDeleted }: DeleteProps) {
  const { t } = useTranslation("users");
  const format = useFormat();
  const queries = useQueryClient();
  const notify = useNotify();
  const { clients = 0, keys = 0 } = useOwned(user.username).data ?? {};
  const [isOwnedToo, setIsOwnedToo] = useState(false);
  const remove = async () => {
    const params = { path: { id: user.id }, query: { delete_owned: isOwnedToo } };
    await ask(api.DELETE("/api/users/{id}", { params }));
    onDeleted();
    void refreshLists(queries, "/api/users", "/api/allowed_keys", "/api/keys");
    notify.done(t("delete.done", { name: user.username }));
  };
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title={t("delete.title", { name: user.username })}
      confirmLabel={t("delete.action")}
      isDangerous
      wordToType={isOwnedToo && clients + keys > 0 ? user.username : undefined}
      onConfirm={remove}
    >
      <Text size="sm">{t("delete.text")}</Text>
      {clients + keys > 0 && (
        <>
          <List size="sm" spacing={2}>
            <List.Item>{t("owned.clients", { count: clients, number: format.number(clients) })}</List.Item>
            <List.Item>{t("owned.keys", { count: keys, number: format.number(keys) })}</List.Item>
          </List>
          <Checkbox
            label={t("delete.owned")}
            description={t("delete.ownedHint")}
            checked={isOwnedToo}
            onChange={(event) => setIsOwnedToo(event.currentTarget.checked)}
          />
        </>
      )}
    </ConfirmDialog>
  );
}
