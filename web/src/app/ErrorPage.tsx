// What is shown when a page broke, or its code did not come.

import { Button, Code, Group } from "@mantine/core";
import { IconBug, IconPlugConnectedX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";
import { EmptyState } from "@/components/states";

export function ErrorPage({ isWithin }: { isWithin?: boolean }) {
  const { t } = useTranslation();
  const error = useRouteError();
  const text = error instanceof Error ? error.message : String(error);
  // After an upgrade the files of the version that this page came from are gone.
  const isGone = /dynamically imported module|module script|preload CSS|error loading/i.test(text);
  const reload = <Button onClick={() => window.location.reload()}>{t("crash.reload")}</Button>;
  const content = isGone ? (
    <EmptyState icon={<IconPlugConnectedX size={26} />} title={t("crash.goneTitle")} action={reload}>
      {t("crash.gone")}
    </EmptyState>
  ) : (
    <EmptyState icon={<IconBug size={26} />} title={t("crash.title")} action={<Group>{reload}</Group>}>
      <p>{t("crash.text")}</p>
      <Code>{text}</Code>
    </EmptyState>
  );
  return isWithin ? content : <main>{content}</main>;
}
