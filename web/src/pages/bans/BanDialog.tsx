// Bans an address by hand: which, how long, and why.

import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { refreshLists } from "@/api/list";
import { useErrorText } from "@/components/useErrorText";
import { useNotify } from "@/components/useNotify";
import { ban } from "./bans";
import { networkOf } from "./network";

const hour = 3_600_000;
/** How long, in milliseconds; null: until it is lifted. */
const terms = { "1h": hour, "24h": 24 * hour, "7d": 168 * hour, "30d": 720 * hour, lifted: null } as const;
type Term = keyof typeof terms | "date";
const choices: Term[] = ["1h", "24h", "7d", "30d", "lifted", "date"];

export function BanDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation("bans");
  return (
    <Modal opened={opened} onClose={onClose} title={t("ban")} closeButtonProps={{ "aria-label": t("common:close") }}>
      <BanForm onDone={onClose} />
    </Modal>
  );
}

function BanForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("bans");
  const client = useQueryClient();
  const notify = useNotify();
  const errorText = useErrorText();
  const [values, setValues] = useState({ ip: "", term: "24h" as Term, date: "", reason: "" });
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const set = (part: Partial<typeof values>) => setValues({ ...values, ...part });
  const network = networkOf(values.ip);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      const made = await ban({ ip: values.ip.trim(), reason: values.reason.trim(), until: endOf(values) });
      await refreshLists(client, "/api/bans");
      notify.done(t("banned", { name: made.network }));
      onDone();
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };

  const field = error instanceof ApiError ? error.field : undefined;
  const at = (name: string) => (field === name && error instanceof ApiError ? error.message : undefined);
  const isElsewhere = error !== null && !["ip", "until", "reason"].includes(field ?? "");
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="md">
        <TextInput
          label={t("address")}
          description={network?.includes(":") ? t("covers", { network }) : t("addressHint")}
          value={values.ip}
          error={at("ip")}
          onChange={(event) => set({ ip: event.currentTarget.value })}
          placeholder="203.0.113.9"
          autoComplete="off"
          spellCheck={false}
          required
          data-autofocus
        />
        <Select
          label={t("term")}
          data={choices.map((value) => ({ value, label: t(`terms.${value}`) }))}
          value={values.term}
          error={values.term === "date" ? undefined : at("until")}
          onChange={(term) => term && set({ term: term as Term })}
          allowDeselect={false}
        />
        {values.term === "date" && (
          <TextInput
            type="datetime-local"
            label={t("ends")}
            value={values.date}
            error={at("until")}
            onChange={(event) => set({ date: event.currentTarget.value })}
            required
          />
        )}
        <TextInput
          label={t("why")}
          description={t("whyHint")}
          value={values.reason}
          error={at("reason")}
          onChange={(event) => set({ reason: event.currentTarget.value })}
          maxLength={500}
        />
        <Text size="sm" c="dimmed">
          {t("withKey")}
        </Text>
        {isElsewhere && (
          <Alert color="red" role="alert" title={errorText(error).title}>
            {errorText(error).advice}
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("common:cancel")}
          </Button>
          <Button type="submit" color="red.8" loading={isBusy}>
            {t("ban")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** When the ban ends by itself; null: it does not. */
function endOf({ term, date }: { term: Term; date: string }): string | null {
  if (term === "date") return new Date(date).toISOString();
  const lasts = terms[term];
  return lasts === null ? null : new Date(Date.now() + lasts).toISOString();
}
