// The columns of the list of Live sessions.

import { Button, Text, Tooltip } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import { Ago } from "@/components/Countdown";
import type { Column } from "@/components/DataTable";
import { KeyLink } from "@/components/KeyLink";
import { useFormat } from "@/format/format";
import type { Session } from "./live";
import classes from "./live.module.css";

export function useColumns(onEnd: (session: Session) => void): Column<Session>[] {
  const { t } = useTranslation("live");
  return useMemo(
    () => [
      {
        id: "model",
        header: t("model"),
        card: "title",
        cell: ({ model }) => model ?? <Dimmed>{t("opening")}</Dimmed>,
      },
      {
        id: "client",
        header: t("client"),
        width: 6.5,
        cell: ({ client }) => client ?? <Dimmed>{t("common:requests.anonymous")}</Dimmed>,
      },
      { id: "provider", header: t("provider"), width: 5.5, cell: ({ provider }) => provider },
      { id: "key", header: t("key"), width: 3.5, cell: ({ key }) => (key ? <KeyLink id={key} /> : null) },
      { id: "egress", header: t("egress"), width: 8, isExtra: true, cell: ({ egress }) => <Egress of={egress} /> },
      { id: "since", header: t("since"), sort: "since", width: 6.5, cell: ({ since }) => <Ago time={since} /> },
      {
        id: "sent",
        header: t("sent"),
        align: "end",
        width: 6.5,
        cell: ({ from_caller }) => <Passed of={from_caller} />,
      },
      {
        id: "received",
        header: t("received"),
        align: "end",
        width: 6.5,
        cell: ({ from_provider }) => <Passed of={from_provider} />,
      },
      {
        id: "tokens",
        header: t("tokens"),
        align: "end",
        width: 5,
        cell: ({ tokens }) => (tokens ? <Tokens of={tokens} /> : null),
      },
      {
        id: "id",
        header: t("id"),
        width: 11,
        isExtra: true,
        cell: ({ id }) => <code className={classes.id}>{id}</code>,
      },
      {
        id: "end",
        header: t("action"),
        width: 6.5,
        card: "aside",
        cell: (session) => (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onEnd(session)}
            aria-label={t("endOne", { name: nameOf(session) })}
          >
            {t("end")}
          </Button>
        ),
      },
    ],
    [t, onEnd],
  );
}

/** A session in a few words. */
export function nameOf({ model, client, id }: Session): string {
  return [model, client, id].filter(Boolean).join(" · ");
}

function Egress({ of: egress }: { of: string | null | undefined }) {
  const { t } = useTranslation("live");
  if (!egress) return null;
  return <span title={egress}>{egress === "direct" ? t("direct") : egress}</span>;
}

/** How many messages, and how large they were together. */
function Passed({ of: { messages, bytes } }: { of: Schema<"PassedView"> }) {
  const format = useFormat();
  return (
    <>
      {format.compact(messages)}{" "}
      <Text span inherit c="dimmed">
        · {format.bytes(bytes)}
      </Text>
    </>
  );
}

function Tokens({ of: { prompt, output, total } }: { of: Schema<"TokensView"> }) {
  const { t } = useTranslation("live");
  const format = useFormat();
  return (
    <Tooltip label={t("tokensHint", { input: format.number(prompt), output: format.number(output) })}>
      <span>{format.compact(total)}</span>
    </Tooltip>
  );
}

function Dimmed({ children }: { children: ReactNode }) {
  return (
    <Text span inherit c="dimmed">
      {children}
    </Text>
  );
}
