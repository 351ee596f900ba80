// What a page shows instead of its content: that it comes, that there is none yet, that it could not be had.

import { Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./states.module.css";
import { useErrorText } from "./useErrorText";

/** Nothing is there yet: says what it would be, and how to get it. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack className={classes.state} gap="xs" align="center">
      {icon && (
        <span className={classes.icon} aria-hidden>
          {icon}
        </span>
      )}
      <Title order={2} size="h3">
        {title}
      </Title>
      {children && (
        <Text component="div" c="dimmed" size="sm" maw="34rem" ta="center">
          {children}
        </Text>
      )}
      {action && (
        <Group mt="xs" justify="center" gap="xs">
          {action}
        </Group>
      )}
    </Stack>
  );
}

/** Something could not be had: says why, and what to do. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const { title, advice } = useErrorText()(error);
  return (
    <Stack className={classes.state} gap="xs" align="center" role="alert">
      <span className={classes.icon} data-bad aria-hidden>
        <IconAlertTriangle size={26} />
      </span>
      <Title order={2} size="h3">
        {title}
      </Title>
      <Text c="dimmed" size="sm" maw="34rem" ta="center">
        {advice}
      </Text>
      {onRetry && (
        <Button mt="xs" variant="default" leftSection={<IconRefresh size={16} />} onClick={onRetry}>
          {t("retry")}
        </Button>
      )}
    </Stack>
  );
}

/** Rows that are on their way. */
export function LoadingRows({ count = 8, height = 30 }: { count?: number; height?: number }) {
  const { t } = useTranslation();
  const rows = Array.from({ length: count }, (_, index) => index);
  return (
    <Stack gap={8} p="sm" aria-busy role="status" aria-label={t("loading")}>
      {rows.map((row) => (
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </Stack>
  );
}

/** A page that is on its way. */
export function LoadingPage() {
  const { t } = useTranslation();
  return (
    <Stack gap="md" p="lg" aria-busy role="status" aria-label={t("loading")}>
      <Skeleton height={28} width="min(14rem, 60%)" />
      <Skeleton height={90} />
      <Skeleton height={260} />
    </Stack>
  );
}
