// Copies a text, and says so.

import { ActionIcon, type ActionIconProps, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

export function CopyButton({
  text,
  label,
  size = "sm",
}: {
  text: string | (() => Promise<string>);
  label?: string;
  size?: ActionIconProps["size"];
}) {
  const { t } = useTranslation();
  const clipboard = useClipboard({ timeout: 1500 });
  const copy = async () => clipboard.copy(typeof text === "string" ? text : await text());
  const said = clipboard.copied ? t("copied") : (label ?? t("copy"));
  return (
    <Tooltip label={said}>
      <ActionIcon variant="subtle" color="gray" size={size} aria-label={said} onClick={() => void copy()}>
        {clipboard.copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
      </ActionIcon>
    </Tooltip>
  );
}
