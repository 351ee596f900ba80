// Makes a client key, and shows its secret: once, with what to do with it.

import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { refreshLists } from "@/api/list";
import { OneTimeSecret } from "@/components/Secret";
import { ErrorState, LoadingRows } from "@/components/states";
import { CallExample } from "./CallExample";
import { ClientForm } from "./ClientForm";
import { type Client, inputOf, useClient } from "./clients";
import { inputOfValues, newValues, type Values, valuesOf } from "./form";

/** The new key; TypeScript's schema has no name for what has all of another. */
type Created = Client & { key: string };

type NewClientProps = {
  /** `open`, or the id of the client key whose settings it begins with; undefined: closed. */
  like: string | undefined;
  onClose: () => void;
};

export function NewClient({ like, onClose }: NewClientProps) {
  const { t } = useTranslation("clients");
  const [created, setCreated] = useState<Created | null>(null);
  const close = () => {
    onClose();
    setCreated(null);
  };
  return (
    <Modal
      opened={like !== undefined}
      onClose={close}
      title={created ? t("made.title", { name: created.name }) : t("new")}
      size="xl"
      // A secret that is shown once does not go away by a click beside it.
      closeOnClickOutside={false}
      closeOnEscape={created === null}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      {created ? (
        <Shown client={created} onDone={close} />
      ) : like === "open" ? (
        <Begun start={newValues(Date.now())} onCreated={setCreated} onCancel={close} />
      ) : (
        like && <Copied id={Number(like)} onCreated={setCreated} onCancel={close} />
      )}
    </Modal>
  );
}

type BegunProps = { start: Values; onCreated: (created: Created) => void; onCancel: () => void; hasPresets?: boolean };

function Begun({ start, onCreated, onCancel, hasPresets = true }: BegunProps) {
  const { t } = useTranslation("clients");
  const client = useQueryClient();
  const create = async (values: Values) => {
    const created = await ask(api.POST("/api/allowed_keys", { body: inputOfValues(values) }));
    onCreated(created as Created);
    void refreshLists(client, "/api/allowed_keys");
  };
  return (
    <ClientForm
      start={start}
      submitLabel={t("form.create")}
      onSubmit={create}
      onCancel={onCancel}
      hasPresets={hasPresets}
    />
  );
}

/** Begins with what another one may do. */
function Copied({ id, ...props }: Omit<BegunProps, "start"> & { id: number }) {
  const { t } = useTranslation("clients");
  const { data: like, error, refetch } = useClient(id);
  if (error && !like) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!like) return <LoadingRows />;
  const start = { ...valuesOf(inputOf(like)), name: t("form.copyOf", { name: like.name }) };
  return <Begun {...props} start={start} hasPresets={false} />;
}

function Shown({ client, onDone }: { client: Created; onDone: () => void }) {
  const { t } = useTranslation("clients");
  return (
    <Stack gap="md">
      <Alert color="teal" icon={<IconCheck size={18} />} title={t("made.once")}>
        {t("made.onceText")}
      </Alert>
      <OneTimeSecret value={client.key} label={t("made.secret")} />
      <Stack gap={6}>
        <Text size="sm" c="dimmed">
          {t("made.use")}
        </Text>
        <CallExample of={client} secret={client.key} />
      </Stack>
      <Group justify="flex-end">
        <Button onClick={onDone}>{t("made.done")}</Button>
      </Group>
    </Stack>
  );
}
