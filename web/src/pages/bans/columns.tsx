// The columns of the list of bans.

import { Button, Text } from "@mantine/core";
import { IconLockOpen } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Ago, Countdown } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { useFormat } from "@/format/format";
import { type Ban, useLift } from "./bans";
import classes from "./bans.module.css";

export function useColumns(): Column<Ban>[] {
  const { t } = useTranslation("bans");
  const format = useFormat();
  return useMemo(
    () => [
      {
        id: "network",
        header: t("address"),
        sort: "ip",
        width: 15,
        card: "title",
        cell: ({ network }) => <code className={classes.network}>{network}</code>,
      },
      {
        id: "why",
        header: t("why"),
        cell: (ban) => {
          const why = ban.requests ? t("requests", { number: format.number(ban.requests) }) : ban.reason;
          return why ? <span title={why}>{why}</span> : null;
        },
      },
      {
        id: "by",
        header: t("by"),
        width: 10,
        cell: ({ created_by }) => (created_by === "keymux" ? t("byItself") : (created_by ?? t("byUnknown"))),
      },
      {
        id: "since",
        header: t("since"),
        sort: "created_at",
        width: 9.5,
        cell: ({ created_at }) => <Ago time={created_at} />,
      },
      {
        id: "ends",
        header: t("ends"),
        width: 9,
        cell: ({ until }) =>
          until ? (
            <Countdown to={until} />
          ) : (
            <Text size="sm" c="dimmed" span>
              {t("untilLifted")}
            </Text>
          ),
      },
      { id: "lift", header: t("action"), width: 8, card: "aside", cell: (ban) => <Lift ban={ban} /> },
    ],
    [t, format],
  );
}

function Lift({ ban }: { ban: Ban }) {
  const { t } = useTranslation("bans");
  const lift = useLift();
  return (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<IconLockOpen size={14} />}
      onClick={() => void lift([ban])}
      aria-label={t("liftOne", { name: ban.network })}
    >
      {t("lift")}
    </Button>
  );
}
