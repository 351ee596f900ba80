// Limits to begin with. Each can be changed afterwards; the one that still holds is marked.

import { useTranslation } from "react-i18next";
import classes from "./clients.module.css";
import { limitsOfPreset, type Preset, presets, type Values } from "./form";

export function Presets({ values, onChoose }: { values: Values; onChoose: (limits: Partial<Values>) => void }) {
  const { t } = useTranslation("clients");
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has a border and a legend of its own look
    <div className={classes.presets} role="group" aria-label={t("presets.label")}>
      {presets.map((preset) => (
        <button
          key={preset}
          type="button"
          className={classes.preset}
          aria-pressed={holds(preset, values)}
          onClick={() => onChoose(limitsOfPreset(preset, Date.now()))}
        >
          <strong>{t(`presets.${preset}`)}</strong>
          <span>{t(`presets.about.${preset}`)}</span>
        </button>
      ))}
    </div>
  );
}

/** Whether the amounts are those of the preset; its end moves with the clock. */
function holds(preset: Preset, values: Values): boolean {
  const { expires: _expires, ...limits } = limitsOfPreset(preset, 0);
  return Object.entries(limits).every(([name, value]) => values[name as keyof Values] === value);
}
