// Short messages at the edge of the page: what was done, what went wrong, and the chance to undo it.

import { Button, Group, Text } from "@mantine/core";
import { hideNotification, showNotification } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { newId } from "@/app/newId";
import { useErrorText } from "./useErrorText";

const undoFor = 12_000;

export function useNotify() {
  const { t } = useTranslation();
  const errorText = useErrorText();

  const done = (message: string) => {
    showNotification({
      message,
      color: "teal",
      icon: <IconCheck size={18} />,
      autoClose: 4_000,
      closeButtonProps: { "aria-label": t("close") },
    });
  };

  const failed = (error: unknown) => {
    const { title, advice } = errorText(error);
    showNotification({
      title,
      message: advice,
      color: "red",
      icon: <IconAlertTriangle size={18} />,
      autoClose: 10_000,
      role: "alert",
      closeButtonProps: { "aria-label": t("close") },
    });
  };

  /** Says what was done, with a button that takes it back. */
  const undoable = (message: string, undo: () => Promise<unknown>) => {
    const id = `undo-${newId()}`;
    const takeBack = () => {
      hideNotification(id);
      undo().then(() => done(t("undo.done")), failed);
    };
    showNotification({
      id,
      color: "teal",
      icon: <IconCheck size={18} />,
      autoClose: undoFor,
      closeButtonProps: { "aria-label": t("close") },
      message: (
        <Group justify="space-between" wrap="nowrap" gap="sm">
          <Text size="sm">{message}</Text>
          <Button size="compact-sm" variant="light" onClick={takeBack}>
            {t("undo.action")}
          </Button>
        </Group>
      ),
    });
  };

  return { done, failed, undoable };
}
