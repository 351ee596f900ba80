// Asks before something is done: what exactly will happen, and whether it can be undone.

import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "./useErrorText";

type ConfirmDialogProps = {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen: to how many, to which, and what stays. */
  children: ReactNode;
  confirmLabel: string;
  /** Does it; the dialogue closes when it is done, and shows the error when it is not. */
  onConfirm: () => Promise<unknown>;
  isDangerous?: boolean;
  /** A word that has to be typed first, for what cannot be undone and concerns much. */
  wordToType?: string;
};

export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title} closeButtonProps={useCloseLabel()}>
      <Question {...props} />
    </Modal>
  );
}

function useCloseLabel() {
  const { t } = useTranslation();
  return { "aria-label": t("close") };
}

function Question({ onClose, children, confirmLabel, onConfirm, isDangerous, wordToType }: ConfirmDialogProps) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [typed, setTyped] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const confirm = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };

  const told = error ? errorText(error) : null;
  return (
    <form onSubmit={(event) => void confirm(event)}>
      <Stack gap="md">
        {children}
        {wordToType && (
          <TextInput
            label={t("confirm.type", { word: wordToType })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        {told && (
          <Alert color="red" icon={<IconAlertTriangle size={18} />} title={told.title} role="alert">
            {told.advice}
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={isBusy}>
            {t("cancel")}
          </Button>
          <Button
            type="submit"
            color={isDangerous ? "red.8" : undefined}
            loading={isBusy}
            disabled={wordToType !== undefined && typed.trim() !== wordToType}
            data-autofocus={!wordToType || undefined}
          >
            {confirmLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
