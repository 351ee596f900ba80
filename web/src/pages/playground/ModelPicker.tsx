// Which model is asked, and in which dialect. A model that no provider lists can be typed.

import { SegmentedControl, Select } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Model } from "./access";
import type { Options } from "./chat";
import classes from "./playground.module.css";

type ModelPickerProps = { models: Model[]; options: Options; onChange: (change: Partial<Options>) => void };

export function ModelPicker({ models, options, onChange }: ModelPickerProps) {
  const { t } = useTranslation("playground");
  const [typed, setTyped] = useState("");
  const others = [typed.trim(), options.model].filter((id) => id && !models.some((model) => model.id === id));
  const owners = [...new Set(models.map(({ owned_by }) => owned_by))];
  const groups = owners.map((owner) => ({
    group: owner === "keymux" ? t("aliases") : owner,
    items: models.filter(({ owned_by }) => owned_by === owner).map(({ id }) => id),
  }));
  if (others.length > 0) groups.push({ group: t("typed"), items: [...new Set(others)] });
  return (
    <div className={classes.picker}>
      <Select
        aria-label={t("model")}
        placeholder={t("modelHint")}
        searchable
        allowDeselect={false}
        data={groups}
        value={options.model || null}
        onChange={(model) => model && onChange({ model })}
        onSearchChange={setTyped}
        nothingFoundMessage={t("noModel")}
        limit={300}
        maxDropdownHeight={380}
        className={classes.model}
      />
      {isGoogles(models, options.model) && (
        <SegmentedControl
          aria-label={t("dialect")}
          size="xs"
          data={[
            { value: "gemini", label: "Gemini" },
            { value: "openai", label: "OpenAI" },
          ]}
          value={options.dialect}
          onChange={(dialect) => onChange({ dialect: dialect as Options["dialect"] })}
        />
      )}
    </div>
  );
}

/** Google's models are asked in Google's dialect too; all others, and aliases, in OpenAI's. */
export function isGoogles(models: Model[], id: string): boolean {
  return models.find((model) => model.id === id)?.owned_by === "google" || id.startsWith("google/");
}
