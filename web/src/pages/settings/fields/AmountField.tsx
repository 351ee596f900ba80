// A duration or a size: a number and its unit. A word that may stand instead, such as `permanent`, is one of the units.

import { Group, Input, NativeSelect, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { amountOf, type Measure, unitsOf, written } from "../units";
import { type FieldProps, inputProps } from "./Field";
import classes from "./fields.module.css";

type Draft = { count: number | null; unit: string };

export function AmountField(props: FieldProps & { measure: Measure }) {
  const { form, value, onChange, label, isLabelled, error, isReadOnly, measure } = props;
  const { t } = useTranslation("settings");
  const words = form.choices ?? [];
  // The unit stays the one that was chosen: who types 60 in seconds does not want to see a minute.
  const [draft, setDraft] = useState<Draft>(() => draftOf(measure, value, words));
  const isWord = words.includes(draft.unit);
  const change = (next: Draft) => {
    setDraft(next);
    if (words.includes(next.unit)) onChange(next.unit);
    else onChange(next.count === null ? null : written({ count: next.count, unit: next.unit }));
  };
  const names = [...words, ...unitsOf(measure).map(({ name }) => name)];
  return (
    <Input.Wrapper {...(isLabelled ? { label } : {})} error={error}>
      <Group gap={6} wrap="nowrap" className={classes.amount}>
        {!isWord && (
          <NumberInput
            {...inputProps({ ...props, isLabelled: false })}
            error={error !== undefined}
            value={draft.count ?? ""}
            onChange={(typed) => change({ ...draft, count: typeof typed === "number" ? typed : null })}
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=" "
            hideControls
          />
        )}
        <NativeSelect
          aria-label={t("unitOf", { name: label })}
          data={names.map((name) => ({ value: name, label: measure === "duration" ? t(`unit.${name}`, name) : name }))}
          value={draft.unit}
          onChange={(event) => change({ count: draft.count ?? 1, unit: event.currentTarget.value })}
          disabled={isReadOnly ?? false}
          className={classes.unit}
        />
      </Group>
    </Input.Wrapper>
  );
}

function draftOf(measure: Measure, value: unknown, words: string[]): Draft {
  const text = typeof value === "string" ? value : "";
  if (words.includes(text)) return { count: null, unit: text };
  return amountOf(measure, text) ?? { count: null, unit: measure === "duration" ? "s" : "MiB" };
}
