// The conversation: what was asked and answered, and the answer that is on its way.

import { useEffect, useRef } from "react";
import { newId } from "@/app/newId";
import {
  type Answer,
  emptyAnswer,
  type Failure,
  hasContent,
  type Options,
  type Picture,
  type Turn,
  withPiece,
} from "./chat";
import { CallError, converse } from "./converse";
import { useKept } from "./useKept";

export type Conversation = ReturnType<typeof useConversation>;

export function useConversation(key: string | null, options: Options) {
  const [turns, setTurns] = useKept<Turn[]>("turns", [], { smaller: (all) => all.map(withoutPictures) });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const change = (id: string, to: (answer: Answer) => Answer) =>
    setTurns((all) => all.map((turn) => (turn.id === id && turn.answer ? { ...turn, answer: to(turn.answer) } : turn)));

  /** Asks the last of these, and shows the answer as it comes. */
  const run = async (asked: Turn[]) => {
    const turn = asked.at(-1);
    if (!turn) return;
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    setTurns([...asked.slice(0, -1), { ...turn, answer: emptyAnswer(options.model) }]);
    const began = performance.now();
    const took = () => performance.now() - began;
    const pieces = gathered((some) => change(turn.id, (answer) => some.reduce((all, one) => one(all), answer)));
    let hasBegun = false;
    const end = (state: Answer["state"], failure?: Failure) => {
      pieces.flush();
      change(turn.id, (answer) => ({
        ...answer,
        state,
        ...(failure && { failure }),
        figures: { ...answer.figures, tookMs: took() },
      }));
    };
    try {
      const { answer: _, ...question } = turn;
      await converse({ turns: [...asked.slice(0, -1).filter(isAnswered), question], options }, key, abort.signal, {
        onHead: (figures) => pieces.add((answer) => ({ ...answer, figures: { ...answer.figures, ...figures } })),
        onPiece: (piece) => {
          const isFirst = !hasBegun && hasContent(piece);
          hasBegun ||= isFirst;
          const firstTokenMs = took();
          pieces.add((answer) => {
            const next = withPiece(answer, piece);
            return isFirst ? { ...next, figures: { ...next.figures, firstTokenMs } } : next;
          });
        },
      });
      end("done");
    } catch (error) {
      if (abort.signal.aborted) end("stopped");
      else end("failed", error instanceof CallError ? error.failure : { status: 0, message: String(error) });
    } finally {
      if (running.current === abort) running.current = null;
    }
  };

  return {
    // What was on its way when the page went away came to no end.
    turns: turns.map((turn) => (running.current ? turn : stopped(turn))),
    isRunning: turns.at(-1)?.answer?.state === "running" && running.current !== null,
    send: (text: string, pictures: Picture[]) => run([...turns, { id: newId(), text, pictures }]),
    /** Asks again: what came after that question is left out, and so is its old text when it was rewritten. */
    again: (id: string, text?: string) => {
      const until = turns.slice(0, turns.findIndex((turn) => turn.id === id) + 1);
      return run(until.map((turn) => (turn.id === id && text !== undefined ? { ...turn, text } : turn)));
    },
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      setTurns([]);
    },
    restore: setTurns,
  };
}

type Change = (answer: Answer) => Answer;

/** Gathers changes until the next picture is drawn. */
function gathered(apply: (changes: Change[]) => void) {
  let waiting: Change[] = [];
  let frame = 0;
  const flush = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    const changes = waiting;
    waiting = [];
    if (changes.length > 0) apply(changes);
  };
  const add = (change: Change) => {
    waiting.push(change);
    // In a tab that is not looked at nothing is drawn, and nothing has to be.
    if (frame === 0) frame = requestAnimationFrame(flush);
  };
  return { add, flush };
}

/** What failed is not told to the model again. */
export function isAnswered({ answer }: Turn): boolean {
  return answer !== undefined && (answer.text !== "" || answer.pictures.length > 0);
}

function stopped(turn: Turn): Turn {
  return turn.answer?.state === "running" ? { ...turn, answer: { ...turn.answer, state: "stopped" } } : turn;
}

function withoutPictures(turn: Turn): Turn {
  return { ...turn, pictures: [], ...(turn.answer && { answer: { ...turn.answer, pictures: [] } }) };
}
