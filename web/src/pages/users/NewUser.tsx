// Makes a user, and shows what to hand to them.

import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { ApiError } from "@/api/error";
import { refreshLists } from "@/api/list";
import { useErrorText } from "@/components/useErrorText";
import { HandOver } from "./HandOver";
import { PasswordField, shortest } from "./PasswordField";
import { RoleChoice } from "./RoleChoice";
import type { Role } from "./users";

type Made = { name: string; password: string };

export function NewUser({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation("users");
  const [made, setMade] = useState<Made | null>(null);
  const close = () => {
    onClose();
    setMade(null);
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("new")}
      closeOnClickOutside={made === null}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      {made ? <HandOver {...made} onDone={close} /> : <Form onMade={setMade} onCancel={close} />}
    </Modal>
  );
}

function Form({ onMade, onCancel }: { onMade: (made: Made) => void; onCancel: () => void }) {
  const { t } = useTranslation("users");
  const queries = useQueryClient();
  const errorText = useErrorText();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("member");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const create = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      const user = await ask(api.POST("/api/users", { body: { username: username.trim(), password, role } }));
      void refreshLists(queries, "/api/users");
      onMade({ name: user.username, password });
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };
  const wrong = (field: string) => (error instanceof ApiError && error.field === field ? error.message : undefined);
  const isElsewhere = error !== null && !wrong("username") && !wrong("password");
  return (
    <form onSubmit={(event) => void create(event)}>
      <Stack gap="md">
        <TextInput
          label={t("name")}
          value={username}
          error={wrong("username")}
          maxLength={64}
          autoComplete="off"
          required
          data-autofocus
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordField value={password} onChange={setPassword} error={wrong("password")} />
        <RoleChoice value={role} onChange={setRole} />
        {isElsewhere && (
          <Alert color="red" role="alert" title={errorText(error).title}>
            {errorText(error).advice}
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel} disabled={isBusy}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" loading={isBusy} disabled={username.trim() === "" || password.length < shortest}>
            {t("create")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
