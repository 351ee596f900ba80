// Asks before a session is ended: whose it is, and what both sides are told.

import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useNotify } from "@/components/useNotify";
import { nameOf } from "./columns";
import { type Session, useEnd } from "./live";

export function EndSession({ of: session, onClose }: { of: Session | null; onClose: () => void }) {
  const { t } = useTranslation("live");
  const end = useEnd();
  const notify = useNotify();
  if (!session) return null;
  const run = async () => {
    await end(session);
    notify.done(t("ended", { name: nameOf(session) }));
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={t("endTitle")} confirmLabel={t("end")} onConfirm={run} isDangerous>
      <Text size="sm">{t("endText", { name: nameOf(session) })}</Text>
    </ConfirmDialog>
  );
}
