// Takes keys out, with their secrets: a file of those that the filters match.

import { Button, Radio, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { address } from "@/api/client";
import { errorOf } from "@/api/error";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useFormat } from "@/format/format";
import type { KeyFilter } from "./keys";

const forms = ["text", "csv", "jsonl"] as const;
type Form = (typeof forms)[number];

export function ExportMenu({ filter, total }: { filter: KeyFilter; total: number | undefined }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const [isOpen, setIsOpen] = useState(false);
  const [form, setForm] = useState<Form>("text");
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconDownload size={16} />}
        onClick={() => setIsOpen(true)}
        disabled={!total}
      >
        {t("export.action")}
      </Button>
      <ConfirmDialog
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t("export.title", { count: total ?? 0, number: format.number(total ?? 0) })}
        confirmLabel={t("export.action")}
        onConfirm={() => download(form, filter)}
      >
        <Text size="sm">{t("export.about")}</Text>
        <Radio.Group label={t("export.form")} value={form} onChange={(value) => setForm(value as Form)}>
          <Stack gap={6} mt={6}>
            {forms.map((name) => (
              <Radio key={name} value={name} label={t(`export.${name}`)} />
            ))}
          </Stack>
        </Radio.Group>
      </ConfirmDialog>
    </>
  );
}

/** Fetched rather than linked to, so that a refusal is told here. */
async function download(form: Form, filter: KeyFilter) {
  const search = new URLSearchParams({ format: form });
  for (const [name, value] of Object.entries(filter)) if (value) search.set(name, value);
  const response = await fetch(address(`api/keys/export?${search}`), { credentials: "same-origin" });
  if (!response.ok) throw await errorOf(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `keymux-keys.${form === "text" ? "txt" : form}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
