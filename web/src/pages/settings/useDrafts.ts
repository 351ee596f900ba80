// What is changed and not saved yet. Each change knows the value that it began with, so that a change that somebody else has
// saved meanwhile is seen before it is written over.

import { useMemo, useState } from "react";
import type { Changes, Setting } from "./settings";
import { isSame, type Problem, problemOf } from "./values";

type Draft = { value: unknown; isReset: boolean; before: unknown };

/** A setting that will be changed. */
export type Change = {
  setting: Setting;
  /** What it will be. */
  value: unknown;
  /** It goes back to its default. */
  isReset: boolean;
  /** Somebody else has changed it since. */
  isOutdated: boolean;
  problem: Problem | null;
};

/** What is done with one setting; the functions stay the same, so that rows are drawn again only when they change. */
export type Editing = {
  edit: (setting: Setting, value: unknown) => void;
  /** Back to its default. */
  reset: (setting: Setting) => void;
  /** As it was; without a name all of them. */
  discard: (name?: string) => void;
};

export type Drafts = {
  changes: Change[];
  editing: Editing;
  /** Counts how often fields must begin anew with the value that they are given. */
  round: number;
};

type Known = ReadonlyMap<string, Draft>;

export function useDrafts(settings: Setting[]): Drafts {
  const [drafts, setDrafts] = useState<Known>(new Map());
  const [round, setRound] = useState(0);
  const changes = useMemo(() => changesOf(settings, drafts), [settings, drafts]);
  const editing = useMemo((): Editing => {
    const beginAnew = () => setRound((before) => before + 1);
    return {
      edit: (setting, value) => {
        const isBack = value !== undefined && isSame(setting, value, setting.value);
        setDrafts((known) => (isBack ? without(known, setting.name) : having(known, setting, value, false)));
      },
      reset: (setting) => {
        setDrafts((known) => having(known, setting, setting.default ?? null, true));
        beginAnew();
      },
      discard: (name) => {
        setDrafts((known) => (name === undefined ? new Map() : without(known, name)));
        beginAnew();
      },
    };
  }, []);
  return { changes, editing, round };
}

function having(known: Known, { name, value: now }: Setting, value: unknown, isReset: boolean): Known {
  const before = known.has(name) ? known.get(name)?.before : now;
  return new Map(known).set(name, { value, isReset, before });
}

function without(known: Known, name: string): Known {
  return new Map([...known].filter(([other]) => other !== name));
}

function changesOf(settings: Setting[], drafts: Known): Change[] {
  return settings.flatMap((setting) => {
    const draft = drafts.get(setting.name);
    if (!draft) return [];
    const { value, isReset, before } = draft;
    const problem = isReset ? null : problemOf(setting, value);
    return [{ setting, value, isReset, isOutdated: !isSame(setting, before, setting.value), problem }];
  });
}

/** What is written: null is the default. */
export function written(changes: Change[]): Changes {
  return Object.fromEntries(changes.map(({ setting, value, isReset }) => [setting.name, isReset ? null : value]));
}

/** What undoes it: what was stored, or the default. */
export function opposite(changes: Change[]): Changes {
  return Object.fromEntries(
    changes.map(({ setting }) => [setting.name, setting.set_by === "stored" ? setting.value : null]),
  );
}
