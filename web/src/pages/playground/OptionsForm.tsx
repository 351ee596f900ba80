// How to ask: what is left empty is left to the model.

import { NumberInput, Select, Stack, Textarea } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type Effort, efforts, type Options } from "./chat";
import classes from "./playground.module.css";

type OptionsFormProps = { options: Options; onChange: (change: Partial<Options>) => void };

export function OptionsForm({ options, onChange }: OptionsFormProps) {
  const { t } = useTranslation("playground");
  const numbers = [
    { name: "temperature", min: 0, max: 2, step: 0.1 },
    { name: "topP", min: 0, max: 1, step: 0.05 },
    { name: "maxTokens", min: 1, max: 1_000_000, step: 256 },
  ] as const;
  return (
    <Stack gap="sm">
      <Textarea
        label={t("system")}
        placeholder={t("systemHint")}
        autosize
        minRows={3}
        maxRows={12}
        value={options.system}
        onChange={(event) => onChange({ system: event.currentTarget.value })}
      />
      <div className={classes.numbers}>
        {numbers.map(({ name, ...bounds }) => (
          <NumberInput
            key={name}
            label={t(`numbers.${name}`)}
            placeholder={t("ofModel")}
            {...bounds}
            value={options[name] ?? ""}
            onChange={(value) => onChange({ [name]: value === "" ? null : Number(value) })}
          />
        ))}
        <Select
          label={t("effort")}
          placeholder={t("ofModel")}
          clearable
          data={efforts.map((value) => ({ value, label: t(`efforts.${value}`) }))}
          value={options.effort}
          onChange={(effort) => onChange({ effort: effort as Effort | null })}
        />
      </div>
    </Stack>
  );
}
