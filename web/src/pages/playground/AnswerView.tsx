// An answer: what the model thought, said and drew, what it took, and what went wrong.

import { ActionIcon, Group, Loader, Text, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "@/components/CopyButton";
import type { Answer } from "./chat";
import { FailureView } from "./FailureView";
import { FiguresLine } from "./FiguresLine";
import { Pictures } from "./Pictures";
import classes from "./playground.module.css";

const Markdown = lazy(() => import("./Markdown"));

type AnswerViewProps = { answer: Answer; onAgain: () => void; isBusy: boolean };

export function AnswerView({ answer, onAgain, isBusy }: AnswerViewProps) {
  const { t } = useTranslation("playground");
  const { state, text, reasoning, pictures, failure, figures } = answer;
  const isWaiting = state === "running" && !text && !reasoning && pictures.length === 0;
  return (
    <article className={classes.answer} aria-label={t("answerOf", { model: answer.model })}>
      <Text className={classes.who}>{answer.model}</Text>
      {reasoning && (
        <details className={classes.reasoning}>
          <summary>{t("reasoning")}</summary>
          <Written text={reasoning} />
        </details>
      )}
      {isWaiting && <Loader size="sm" type="dots" aria-label={t("waiting")} />}
      {text && <Written text={text} />}
      <Pictures pictures={pictures} alt={t("pictureOf", { model: answer.model })} />
      {failure && <FailureView failure={failure} requestId={figures.requestId} />}
      {state === "stopped" && (
        <Text size="sm" c="dimmed">
          {t("stopped")}
        </Text>
      )}
      {state !== "running" && (
        <Group gap={4} className={classes.foot}>
          <FiguresLine figures={figures} />
          <Group gap={2} ml="auto">
            {text && <CopyButton text={text} label={t("copyAnswer")} />}
            <Tooltip label={t("again")}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={t("again")}
                onClick={onAgain}
                disabled={isBusy}
              >
                <IconRefresh size={15} />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
      )}
    </article>
  );
}

/** Until its renderer has come, the text is shown as it is. */
function Written({ text }: { text: string }) {
  return (
    <Suspense fallback={<div className={classes.plain}>{text}</div>}>
      <Markdown text={text} />
    </Suspense>
  );
}
