// Copies a text, and says so.

import { ActionIcon, type ActionIconProps, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

const shownMs = 1500;

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
  const [copies, setCopies] = useState(0);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (copies === 0) return;
    setIsCopied(true);
    const timer = setTimeout(() => setIsCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [copies]);
  const copy = async () => {
    if (await toClipboard(typeof text === "string" ? text : await text())) setCopies((count) => count + 1);
  };
  const said = isCopied ? t("copied") : (label ?? t("copy"));
  return (
    <Tooltip label={said}>
      <ActionIcon variant="subtle" color="gray" size={size} aria-label={said} onClick={() => void copy()}>
        {isCopied ? <IconCheck size={15} /> : <IconCopy size={15} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** Whether it is there. Browsers give pages that came by plain HTTP from another machine no `clipboard`: those mark and copy. */
async function toClipboard(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => marked(text),
    );
  }
  return marked(text);
}

function marked(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isCopied;
}
