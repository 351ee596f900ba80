// A secret as it may be shown; in full when somebody asks for it, and hidden again after a while.

import { ActionIcon, Code, Group, Loader, Tooltip } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "./CopyButton";
import classes from "./Secret.module.css";
import { useNotify } from "./useNotify";

const shownFor = 60_000;

type SecretProps = {
  /** As it may be shown to everybody. */
  masked: string;
  /** Fetches it in full; without it, it cannot be shown. */
  reveal?: () => Promise<string>;
};

export function Secret({ masked, reveal }: SecretProps) {
  const { t } = useTranslation();
  const notify = useNotify();
  const [full, setFull] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);

  useEffect(() => {
    if (full === null) return;
    const timer = setTimeout(() => setFull(null), shownFor);
    return () => clearTimeout(timer);
  }, [full]);

  const toggle = async () => {
    if (full !== null || !reveal) return setFull(null);
    setIsAsking(true);
    try {
      setFull(await reveal());
    } catch (error) {
      notify.failed(error);
    } finally {
      setIsAsking(false);
    }
  };

  const label = full === null ? t("secret.reveal") : t("secret.hide");
  return (
    <Group gap={4} wrap="nowrap" className={classes.secret}>
      <Code className={classes.text} data-full={full !== null || undefined}>
        {full ?? masked}
      </Code>
      {reveal && (
        <Tooltip label={label}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={label}
            onClick={() => void toggle()}
            disabled={isAsking}
          >
            {isAsking ? <Loader size={14} /> : full === null ? <IconEye size={15} /> : <IconEyeOff size={15} />}
          </ActionIcon>
        </Tooltip>
      )}
      {full !== null && <CopyButton text={full} label={t("secret.copy")} />}
    </Group>
  );
}

/** A secret that is shown once and never again. */
export function OneTimeSecret({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={6} wrap="nowrap" className={classes.once}>
      <Code className={classes.text} data-full aria-label={label}>
        {value}
      </Code>
      <CopyButton text={value} size="md" />
    </Group>
  );
}
