// The client key that is used, and how to use another.

import { Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { CopyButton } from "@/components/CopyButton";
import type { Access } from "./access";
import classes from "./playground.module.css";

export function ClientKey({ access: { key, isKept }, onForget }: { access: Access; onForget: () => void }) {
  const { t } = useTranslation("playground");
  return (
    <div className={classes.key}>
      <Text size="sm" fw={560}>
        {t("access.key")}
      </Text>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm" c="dimmed">
          {key === null ? t("access.none") : masked(key)}
        </Text>
        <Group gap={4} wrap="nowrap">
          {key !== null && <CopyButton text={key} label={t("access.copy")} />}
          {key !== null && (
            <Button variant="subtle" size="compact-sm" onClick={onForget}>
              {t("access.change")}
            </Button>
          )}
        </Group>
      </Group>
      {key !== null && (
        <Text size="xs" c="dimmed">
          {t(isKept ? "access.isKept" : "access.isInMemory")}
        </Text>
      )}
    </div>
  );
}

function masked(key: string): string {
  return key.length > 12 ? `${key.slice(0, 4)}…${key.slice(-4)}` : "sk-…";
}
