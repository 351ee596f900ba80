// Nothing is there yet: how to get from here to the first answer.

import { Button, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { home } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import { Panel } from "@/components/Panel";
import { snippetsOf } from "@/components/snippets";
import classes from "./overview.module.css";

export function FirstSteps() {
  const { t } = useTranslation("overview");
  return (
    <Panel title={t("first.title")}>
      <ol className={classes.steps}>
        <li>
          <Title order={3}>{t("first.key")}</Title>
          <Text size="sm">{t("first.keyText")}</Text>
          <Button component={Link} to="/keys?import=open">
            {t("first.keyAction")}
          </Button>
        </li>
        <li>
          <Title order={3}>{t("first.client")}</Title>
          <Text size="sm">{t("first.clientText")}</Text>
        </li>
        <li>
          <Title order={3}>{t("first.request")}</Title>
          <Text size="sm">{t("first.requestText")}</Text>
          <CodeSnippet snippets={snippetsOf({ home, model: "gemini-flash-latest" })} label={t("first.request")} />
        </li>
      </ol>
    </Panel>
  );
}
