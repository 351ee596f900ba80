// Brings keys in: pasted, dropped or from a file. First it is shown what would become of each, then it is done.

import { Alert, Button, FileButton, Group, List, Modal, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask, type Schema } from "@/api/client";
import { refreshLists } from "@/api/list";
import { useProviders } from "@/api/providers";
import { useErrorText } from "@/components/useErrorText";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import classes from "./keys.module.css";

type ImportDialogProps = { opened: boolean; onClose: () => void };

export function ImportDialog({ opened, onClose }: ImportDialogProps) {
  const { t } = useTranslation("keys");
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("import.title")}
      size="lg"
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      <ImportForm onClose={onClose} />
    </Modal>
  );
}

function ImportForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const client = useQueryClient();
  const notify = useNotify();
  const errorText = useErrorText();
  const providers = useProviders().data?.filter(({ in_use }) => in_use) ?? [];
  const [chosenProvider, setProvider] = useState<string | null>(null);
  const [text, setText] = useState("");
  const [project, setProject] = useState("");
  const [label, setLabel] = useState("");
  const provider = chosenProvider ?? providers.find(({ name }) => name === "google")?.name ?? providers[0]?.name ?? "";

  const body = { provider, text, ...(project ? { project } : {}), ...(label ? { label } : {}) };
  const [settled] = useDebouncedValue(body, 400);
  const preview = useQuery({
    queryKey: ["keys", "import", settled],
    queryFn: ({ signal }) => ask(api.POST("/api/keys/bulk_add", { body: { ...settled, dry_run: true }, signal })),
    enabled: settled.text.trim() !== "" && settled.provider !== "",
    retry: false,
    gcTime: 0,
    placeholderData: (before) => before,
  });
  const add = useMutation({
    mutationFn: () => ask(api.POST("/api/keys/bulk_add", { body })),
    onSuccess: (result) => {
      void refreshLists(client, "/api/keys");
      void client.invalidateQueries({ queryKey: ["status"] });
      notify.done(t("import.done", { count: result.added, number: format.number(result.added) }));
      onClose();
    },
  });
  const found = text.trim() === "" ? undefined : preview.data;
  const problem = add.error ?? preview.error;
  const read = async (file: File | null) => {
    if (file) setText(await file.text());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    void read(event.dataTransfer.files[0] ?? null);
  };
  return (
    <Stack gap="sm">
      <Select
        label={t("provider")}
        data={providers.map(({ name }) => name)}
        value={provider}
        onChange={setProvider}
        allowDeselect={false}
      />
      <Textarea
        label={t("import.keys")}
        description={t("import.hint")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onDrop={drop}
        onDragOver={(event) => event.preventDefault()}
        minRows={6}
        maxRows={12}
        autosize
        spellCheck={false}
        autoComplete="off"
        placeholder={"AIza…\nAIza…  # a comment"}
        classNames={{ input: classes.mono ?? "" }}
        data-autofocus
      />
      <Group gap="xs">
        <FileButton onChange={(file) => void read(file)} accept="text/*,.txt,.csv,.keys,.list">
          {(props) => (
            <Button {...props} variant="default" size="xs" leftSection={<IconUpload size={14} />}>
              {t("import.file")}
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed">
          {t("import.drop")}
        </Text>
      </Group>
      <Group grow align="start">
        <TextInput
          label={t("project")}
          description={t("import.project")}
          value={project}
          onChange={(event) => setProject(event.currentTarget.value)}
          maxLength={100}
        />
        <TextInput
          label={t("label")}
          description={t("import.label")}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
          maxLength={100}
        />
      </Group>
      {problem ? (
        <Alert color="red" role="alert" title={errorText(problem).title}>
          {errorText(problem).advice}
        </Alert>
      ) : (
        found && <Preview found={found} text={text} />
      )}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t("common:cancel")}
        </Button>
        <Button onClick={() => add.mutate()} loading={add.isPending} disabled={!found || found.added === 0}>
          {found && found.added > 0
            ? t("import.add", { count: found.added, number: format.number(found.added) })
            : t("import.addNothing")}
        </Button>
      </Group>
    </Stack>
  );
}

const mostShown = 8;

/** What would become of each line. */
function Preview({ found, text }: { found: Schema<"AddResult">; text: string }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const lines = text.split("\n");
  // Words of a line that are wrong for the same reason are told once.
  const told = new Map(found.invalid.map((one) => [`${one.line} ${one.reason}`, one]));
  const wrong = [...told.values()];
  return (
    <Alert
      className={classes.drop}
      color={wrong.length > 0 ? "yellow" : "teal"}
      variant="light"
      title={t("import.preview")}
      role="status"
    >
      <List size="sm" spacing={2}>
        <List.Item>{t("import.new", { count: found.added, number: format.number(found.added) })}</List.Item>
        {found.duplicates > 0 && (
          <List.Item>
            {t("import.known", { count: found.duplicates, number: format.number(found.duplicates) })}
          </List.Item>
        )}
        {wrong.length > 0 && (
          <List.Item>
            {t("import.wrong", { count: found.invalid.length, number: format.number(found.invalid.length) })}
          </List.Item>
        )}
      </List>
      {wrong.length > 0 && (
        <List size="xs" mt={6} spacing={2}>
          {wrong.slice(0, mostShown).map(({ line, reason }) => (
            <List.Item key={`${line} ${reason}`}>
              {t("import.line", { line, text: shortened(lines[line - 1]), reason })}
            </List.Item>
          ))}
          {wrong.length > mostShown && (
            <List.Item>{t("import.moreWrong", { number: format.number(wrong.length - mostShown) })}</List.Item>
          )}
        </List>
      )}
    </Alert>
  );
}

/** Enough of a line to find it; what is nearly a key is not shown in full. */
function shortened(line = ""): string {
  return line.length > 12 ? `${line.slice(0, 12)}…` : line;
}
