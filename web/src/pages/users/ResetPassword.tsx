// Gives a user a new password; whoever is logged in with the old one is logged out.

import { Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { OneTimeSecret } from "@/components/Secret";
import { newPassword, type User, useChangeUser } from "./users";

type ResetProps = { of: User; opened: boolean; onClose: () => void; onDone: () => void };

export function ResetPassword({ of: user, opened, onClose, onDone }: ResetProps) {
  const { t } = useTranslation("users");
  const change = useChangeUser();
  const [password] = useState(newPassword);
  const reset = async () => {
    await change(user.id, { password });
    onDone();
  };
  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      title={t("reset.title", { name: user.username })}
      confirmLabel={t("reset.confirm")}
      onConfirm={reset}
    >
      <Stack gap="sm">
        <Text size="sm">{t("reset.text")}</Text>
        <OneTimeSecret value={password} label={t("handOver.password")} />
      </Stack>
    </ConfirmDialog>
  );
}
