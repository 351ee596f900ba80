// What was said so far. The newest stays in sight unless somebody reads further up.

import { Box, VisuallyHidden } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { AnswerView } from "./AnswerView";
import classes from "./playground.module.css";
import { QuestionView } from "./QuestionView";
import type { Conversation } from "./useConversation";

/** So near to the end, in pixels, somebody follows it. */
const near = 80;

export function Transcript({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("playground");
  const { turns, isRunning, again } = conversation;
  const pane = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const count = turns.length;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new question is always shown
  useEffect(() => {
    isFollowing.current = true;
  }, [count]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever is new may be out of sight
  useEffect(() => {
    if (isFollowing.current) pane.current?.scrollTo({ top: pane.current.scrollHeight });
  }, [turns]);

  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = pane.current ?? {};
    isFollowing.current = scrollHeight - clientHeight - scrollTop < near;
  };
  const last = turns.at(-1)?.answer?.state;
  return (
    // It is scrolled by keyboard too.
    <Box
      ref={pane}
      className={classes.transcript}
      onScroll={onScroll}
      role="region"
      aria-label={t("transcript")}
      tabIndex={0}
    >
      {turns.map((turn) => (
        <div key={turn.id} className={classes.turn}>
          <QuestionView turn={turn} onRewrite={(text) => void again(turn.id, text)} isBusy={isRunning} />
          {turn.answer && <AnswerView answer={turn.answer} onAgain={() => void again(turn.id)} isBusy={isRunning} />}
        </div>
      ))}
      <VisuallyHidden role="status">{last && t(`said.${last}`)}</VisuallyHidden>
    </Box>
  );
}
