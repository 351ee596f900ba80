// Saves the changes, all or none; tells which field was wrong; offers the way back.

import { useHotkeys } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { useNotify } from "@/components/useNotify";
import { useWriteSettings } from "./settings";
import { type Drafts, opposite, written } from "./useDrafts";
import { hasSecret } from "./values";

/** What keymux said is wrong, and with which setting. */
export type Refusal = { name: string; text: string };

export function useSave(drafts: Drafts) {
  const { t } = useTranslation("settings");
  const notify = useNotify();
  const write = useWriteSettings();
  const [error, setError] = useState<unknown>(null);
  const [isSaving, setIsSaving] = useState(false);
  const { changes } = drafts;
  const refusal = refusalOf(
    error,
    changes.map(({ setting }) => setting.name),
  );
  const isReady = changes.length > 0 && changes.every(({ problem }) => problem === null);

  const save = async () => {
    if (!isReady || isSaving) return;
    setIsSaving(true);
    setError(null);
    const back = opposite(changes);
    // Secrets were only shown masked: what they were is not known here.
    const isUndoable = !changes.some(({ setting }) => hasSecret(setting));
    try {
      await write(written(changes));
      drafts.editing.discard();
      const said = t("saved", { count: changes.length });
      if (isUndoable) notify.undoable(said, () => write(back).then(() => drafts.editing.discard()));
      else notify.done(said);
    } catch (failure) {
      setError(failure);
      const wrong = refusalOf(failure, Object.keys(back));
      if (wrong) document.getElementById(rowId(wrong.name))?.scrollIntoView({ block: "center" });
    } finally {
      setIsSaving(false);
    }
  };
  useHotkeys([["mod+S", () => void save()]], []);
  const forget = () => setError(null);
  return { save, isSaving, isReady, refusal, error: refusal ? null : error, forget };
}

/** Where a setting stands in the page. */
export function rowId(name: string): string {
  return `setting-${name}`;
}

/** `aliases.fast` and `server.trusted_proxies[0]` are places within settings. */
function refusalOf(error: unknown, names: string[]): Refusal | null {
  if (!(error instanceof ApiError) || !error.field) return null;
  const { field, message } = error;
  const name = names.find((own) => field === own || field.startsWith(`${own}.`) || field.startsWith(`${own}[`));
  if (!name) return null;
  const place = field
    .slice(name.length)
    .replace(/^\./, "")
    .replaceAll(/\[(\d+)\]/g, (_, index) => `#${Number(index) + 1}`);
  const text = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  return { name, text: place ? `${place}: ${text}` : text };
}
