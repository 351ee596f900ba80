// A question, and its rewriting.

import { ActionIcon, Button, Group, Text, Textarea, Tooltip } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "@/components/CopyButton";
import { isSending } from "./Composer";
import type { Turn } from "./chat";
import { Pictures } from "./Pictures";
import classes from "./playground.module.css";

type QuestionViewProps = { turn: Turn; onRewrite: (text: string) => void; isBusy: boolean };

export function QuestionView({ turn, onRewrite, isBusy }: QuestionViewProps) {
  const { t } = useTranslation("playground");
  const [draft, setDraft] = useState<string | null>(null);
  const send = () => {
    if (draft === null || isBusy) return;
    setDraft(null);
    onRewrite(draft);
  };
  return (
    <article className={classes.question} aria-label={t("question")}>
      <Pictures pictures={turn.pictures} alt={t("ownPicture")} isSmall />
      {draft === null ? (
        <Text className={classes.plain}>{turn.text}</Text>
      ) : (
        <>
          <Textarea
            aria-label={t("rewrite")}
            autosize
            maxRows={12}
            autoFocus
            value={draft}
            onChange={(event) => setDraft(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") setDraft(null);
              if (!isSending(event)) return;
              event.preventDefault();
              send();
            }}
          />
          <Group gap="xs" justify="flex-end">
            <Button variant="default" size="xs" onClick={() => setDraft(null)}>
              {t("common:cancel")}
            </Button>
            <Button size="xs" onClick={send} disabled={isBusy || (!draft.trim() && turn.pictures.length === 0)}>
              {t("askAgain")}
            </Button>
          </Group>
        </>
      )}
      {draft === null && (
        <Group gap={2} justify="flex-end">
          <CopyButton text={turn.text} label={t("copyQuestion")} />
          <Tooltip label={t("rewrite")}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("rewrite")}
              onClick={() => setDraft(turn.text)}
              disabled={isBusy}
            >
              <IconPencil size={15} />
            </ActionIcon>
          </Tooltip>
        </Group>
      )}
    </article>
  );
}
