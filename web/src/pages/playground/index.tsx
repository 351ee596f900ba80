// Playground: talks to any model as programs do, through keymux and with a client key, and shows what that took.

import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { PageHeader, Panel } from "@/components/Panel";
import { LoadingRows } from "@/components/states";
import { AccessForm } from "./AccessForm";
import { noAccess, useAccess, useModels } from "./access";
import { ChatPanel } from "./ChatPanel";
import { CallError } from "./converse";
import { FailureView } from "./FailureView";
import classes from "./playground.module.css";

export default function PlaygroundPage() {
  const { t } = useTranslation("playground");
  const [access, setAccess] = useAccess();
  const models = useModels(access);
  const failure = models.error instanceof CallError ? models.error.failure : undefined;
  if (models.data) return <ChatPanel access={access} models={models.data} onForget={() => setAccess(noAccess)} />;
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} />
      {failure && failure.status !== 401 ? (
        <Panel>
          <FailureView failure={failure} />
          <Button mt="sm" variant="default" onClick={() => void models.refetch()}>
            {t("common:retry")}
          </Button>
        </Panel>
      ) : (
        <Panel title={models.isPending ? undefined : t("access.title")} className={classes.access}>
          {models.isPending ? (
            <LoadingRows count={5} />
          ) : (
            <AccessForm access={access} onUse={setAccess} failure={failure} />
          )}
        </Panel>
      )}
    </>
  );
}
