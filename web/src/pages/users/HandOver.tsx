// What a user needs to log in, to be handed to them; the password is shown this once.

import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { OneTimeSecret } from "@/components/Secret";

export function HandOver({ name, password, onDone }: { name: string; password: string; onDone: () => void }) {
  const { t } = useTranslation("users");
  return (
    <Stack gap="md">
      <Alert color="teal" icon={<IconCheck size={18} />} title={t("handOver.title", { name })}>
        {t("handOver.text")} <Anchor href={home.href}>{home.href}</Anchor>
      </Alert>
      <div>
        <Text size="sm" c="dimmed">
          {t("password")}
        </Text>
        <OneTimeSecret value={password} label={t("handOver.password")} />
      </div>
      <Group justify="flex-end">
        <Button onClick={onDone}>{t("handOver.done")}</Button>
      </Group>
    </Stack>
  );
}
