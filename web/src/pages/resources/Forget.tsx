// Asks before a resource is forgotten: what its callers will feel, and that there is no way back.

import { Stack, Text } from "@mantine/core";
import { Trans, useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { type Resource, useForget } from "./resources";
import classes from "./resources.module.css";

export function Forget({ of: resource, onClose }: { of: Resource | null; onClose: () => void }) {
  const { t } = useTranslation("resources");
  const forget = useForget();
  const notify = useNotify();
  if (!resource) return null;
  const run = async () => {
    await forget(resource);
    notify.done(t("forgotten", { name: resource.name }));
  };
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("forgetTitle")}
      confirmLabel={t("forget")}
      onConfirm={run}
      isDangerous
    >
      <Stack gap="xs">
        <Text size="sm">
          <Trans
            t={t}
            i18nKey="forgetText"
            values={{ name: resource.name, provider: resource.provider }}
            components={{ code: <code className={classes.code} /> }}
          />
        </Text>
        <Text size="sm" c="dimmed">
          {t("forgetAdvice")}
        </Text>
      </Stack>
    </ConfirmDialog>
  );
}
