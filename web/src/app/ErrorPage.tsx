// What is shown when a page broke, or its code did not come.

import { Button, Code } from "@mantine/core";
import { IconBug, IconPlugConnectedX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";
import { api, ask } from "@/api/client";
import { isUnreachable } from "@/api/error";
import { EmptyState, ErrorState, LoadingPage } from "@/components/states";

export function ErrorPage({ isWithin }: { isWithin?: boolean }) {
  const error = useRouteError();
  const text = error instanceof Error ? error.message : String(error);
  const isMissing = /dynamically imported module|module script|preload CSS|error loading/i.test(text);
  const content = isMissing ? <Missing /> : <Broken text={text} />;
  return isWithin ? content : <main>{content}</main>;
}

const everyMs = 3_000;

/** The page's code did not come: keymux is away, or after an upgrade the files of the version before are gone. */
function Missing() {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["reachable"],
    queryFn: ({ signal }) => ask(api.GET("/api/me", { signal })),
    retry: false,
    gcTime: 0,
    refetchInterval: ({ state }) => (isUnreachable(state.error) ? everyMs : false),
  });
  const isAway = isUnreachable(found.error);
  const isBack = found.isSuccess && found.errorUpdateCount > 0;
  useEffect(() => {
    if (isBack) window.location.reload();
  }, [isBack]);
  if (found.isPending || isBack) return <LoadingPage />;
  if (isAway) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  return (
    <EmptyState icon={<IconPlugConnectedX size={26} />} title={t("crash.goneTitle")} action={<Reload />}>
      {t("crash.gone")}
    </EmptyState>
  );
}

function Broken({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <EmptyState icon={<IconBug size={26} />} title={t("crash.title")} action={<Reload />}>
      <p>{t("crash.text")}</p>
      <Code>{text}</Code>
    </EmptyState>
  );
}

function Reload() {
  const { t } = useTranslation();
  return <Button onClick={() => window.location.reload()}>{t("crash.reload")}</Button>;
}
