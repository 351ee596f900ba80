// A value with fields of its own: each with what it means. What is left as it was by default is not written.

import { Text } from "@mantine/core";
import type { Form } from "../settings";
import { isSame } from "../values";
import { Field, type FieldProps } from "./Field";
import classes from "./fields.module.css";

type Parts = { [name: string]: unknown };

export function PartsField({ form, value, onChange, label, isReadOnly }: FieldProps) {
  const parts: Parts = typeof value === "object" && value !== null ? { ...value } : {};
  const set = (field: Form & { name: string }, next: unknown) => {
    const { [field.name]: _, ...others } = parts;
    const isLeftOut = next === null || isSame(field, next, field.default ?? null);
    onChange(isLeftOut ? others : { ...others, [field.name]: next });
  };
  return (
    <fieldset className={classes.parts}>
      <legend className={classes.legend}>{label}</legend>
      {(form.fields ?? []).map((field) => (
        <div key={field.name} data-wide={field.type === "fields" || undefined}>
          <Field
            form={field}
            value={parts[field.name] ?? field.default ?? null}
            onChange={(next) => set(field, next)}
            label={field.name}
            isLabelled
            isReadOnly={isReadOnly}
          />
          <Text size="xs" c="dimmed" mt={4} lang="en">
            {field.description}
          </Text>
        </div>
      ))}
    </fieldset>
  );
}
