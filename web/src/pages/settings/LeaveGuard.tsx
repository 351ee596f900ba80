// Nobody loses changes by going to another page, or by closing the window.

import { Text } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useBlocker } from "react-router";
import { ConfirmDialog } from "@/components/ConfirmDialog";

export function LeaveGuard({ count }: { count: number }) {
  const { t } = useTranslation("settings");
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => count > 0 && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (count === 0) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [count]);
  return (
    <ConfirmDialog
      opened={blocker.state === "blocked"}
      onClose={() => blocker.reset?.()}
      title={t("leave")}
      confirmLabel={t("leaveAnyway")}
      onConfirm={async () => blocker.proceed?.()}
      isDangerous
    >
      <Text size="sm">{t("leaveText", { count })}</Text>
    </ConfirmDialog>
  );
}
