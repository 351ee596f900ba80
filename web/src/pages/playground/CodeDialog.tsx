// The request that would be sent now, as code to copy.

import { Modal, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import type { Chat } from "./chat";
import { requestSnippets } from "./requestSnippets";

export function CodeDialog({ chat, opened, onClose }: { chat: Chat; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation("playground");
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size="xl"
      title={t("code.title")}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t("code.about")}
        </Text>
        {opened && (
          <CodeSnippet key={chat.options.dialect} snippets={requestSnippets(home, chat)} label={t("code.title")} />
        )}
      </Stack>
    </Modal>
  );
}
