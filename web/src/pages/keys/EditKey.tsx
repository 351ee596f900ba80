// Changes what a key is called and how it is used.

import { Alert, Button, Group, NumberInput, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { ApiError } from "@/api/error";
import { refreshLists } from "@/api/list";
import { useErrorText } from "@/components/useErrorText";
import { useNotify } from "@/components/useNotify";
import { useIsAdmin } from "@/session/session";
import { isFixed, type Key } from "./keys";

export function EditKey({ of: key }: { of: Key }) {
  const { t } = useTranslation("keys");
  const client = useQueryClient();
  const notify = useNotify();
  const errorText = useErrorText();
  const isAdmin = useIsAdmin();
  const before = { label: key.label ?? null, project: key.project ?? null, weight: key.weight, priority: key.priority };
  const [values, setValues] = useState(before);
  // It is shown without its password, so it is sent only when somebody has written another.
  const oldEgress = key.egress ?? "";
  const [egress, setEgress] = useState(oldEgress);
  const [error, setError] = useState<unknown>(null);
  const [isSaving, setIsSaving] = useState(false);
  const write = async (body: typeof before & { egress?: string | null }) => {
    await ask(api.PATCH("/api/keys/{id}", { params: { path: { id: key.id } }, body }));
    await client.invalidateQueries({ queryKey: ["key", key.id] });
    await refreshLists(client, "/api/keys");
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setIsSaving(true);
    setError(null);
    try {
      const isMoved = egress.trim() !== oldEgress;
      await write(isMoved ? { ...values, egress: egress.trim() || null } : values);
      if (isMoved && oldEgress) return notify.done(t("edit.done"));
      notify.undoable(t("edit.done"), async () => {
        await write(isMoved ? { ...before, egress: null } : before);
        setValues(before);
        setEgress(oldEgress);
      });
    } catch (failure) {
      setError(failure);
    } finally {
      setIsSaving(false);
    }
  };
  const wrong = (field: string) => (error instanceof ApiError && error.field === field ? error.message : undefined);
  const isElsewhere =
    error !== null && !(error instanceof ApiError && error.field && error.field in { ...before, egress });
  if (isFixed(key)) return <Alert color="gray">{t("fixed")}</Alert>;
  return (
    <form onSubmit={(event) => void save(event)}>
      <Stack gap="sm">
        <TextInput
          label={t("label")}
          value={values.label ?? ""}
          maxLength={100}
          error={wrong("label")}
          onChange={(event) => setValues({ ...values, label: event.currentTarget.value || null })}
        />
        <TextInput
          label={t("project")}
          description={t("edit.project")}
          value={values.project ?? ""}
          maxLength={100}
          error={wrong("project")}
          onChange={(event) => setValues({ ...values, project: event.currentTarget.value || null })}
        />
        <Group grow align="start">
          <NumberInput
            label={t("weight")}
            description={t("edit.weight")}
            min={1}
            max={100}
            value={values.weight}
            error={wrong("weight")}
            onChange={(weight) => setValues({ ...values, weight: Number(weight) })}
          />
          <NumberInput
            label={t("priority")}
            description={t("edit.priority")}
            min={-1000}
            max={1000}
            value={values.priority}
            error={wrong("priority")}
            onChange={(priority) => setValues({ ...values, priority: Number(priority) })}
          />
        </Group>
        {isAdmin && (
          <TextInput
            label={t("egress")}
            description={t("edit.egress")}
            placeholder="socks5://user:password@10.0.0.9:1080"
            value={egress}
            error={wrong("egress")}
            onChange={(event) => setEgress(event.currentTarget.value)}
          />
        )}
        {isElsewhere && (
          <Alert color="red" role="alert" title={errorText(error).title}>
            {errorText(error).advice}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={isSaving}>
            {t("common:save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
