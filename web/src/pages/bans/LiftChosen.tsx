// Lifts the bans that are chosen, after a look at how many they are.

import { Button, Text } from "@mantine/core";
import { IconLockOpen } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { List } from "@/api/list";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import type { Selection } from "@/components/useSelection";
import { useFormat } from "@/format/format";
import { type Ban, chosenBans, useLift } from "./bans";

type LiftChosenProps = { selection: Selection<string>; list: List<Ban>; q: string | undefined };

export function LiftChosen({ selection, list, q }: LiftChosenProps) {
  const { t } = useTranslation("bans");
  const format = useFormat();
  const lift = useLift();
  const [isAsked, setIsAsked] = useState(false);
  const count = selection.count(list.total ?? list.rows.length);
  const run = async () => {
    await lift(await chosenBans(selection, list.rows, q));
    selection.clear();
  };
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconLockOpen size={14} />}
        onClick={() => setIsAsked(true)}
      >
        {t("lift")}
      </Button>
      <ConfirmDialog
        opened={isAsked}
        onClose={() => setIsAsked(false)}
        title={t("liftMany", { count, number: format.number(count) })}
        confirmLabel={t("lift")}
        onConfirm={run}
      >
        <Text size="sm">{t("liftText")}</Text>
      </ConfirmDialog>
    </>
  );
}
