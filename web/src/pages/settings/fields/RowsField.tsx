// A list of values that have fields of their own.

import { Button, Input } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { elementOf } from "../values";
import type { FieldProps } from "./Field";
import classes from "./fields.module.css";
import { PartsField } from "./PartsField";

type Row = { id: number; value: unknown };

export function RowsField({ form, value, onChange, label, error, isReadOnly }: FieldProps) {
  const { t } = useTranslation("settings");
  const [rows, setRows] = useState<Row[]>(() =>
    (Array.isArray(value) ? value : []).map((own, id) => ({ id, value: own })),
  );
  const change = (next: Row[]) => {
    setRows(next);
    onChange(next.map((row) => row.value));
  };
  const nextId = Math.max(-1, ...rows.map(({ id }) => id)) + 1;
  return (
    <Input.Wrapper error={error}>
      <ol className={classes.rows} aria-label={label}>
        {rows.map((row, index) => (
          <li key={row.id} className={classes.card}>
            <PartsField
              form={elementOf(form)}
              value={row.value}
              onChange={(next) => change(rows.map((one) => (one.id === row.id ? { ...one, value: next } : one)))}
              label={t("place", { place: index + 1 })}
              isReadOnly={isReadOnly}
            />
            {!isReadOnly && (
              <Button
                size="compact-sm"
                variant="subtle"
                color="gray"
                className={classes.removeCard}
                leftSection={<IconTrash size={14} />}
                onClick={() => change(rows.filter(({ id }) => id !== row.id))}
                aria-label={t("removeOf", { name: t("place", { place: index + 1 }) })}
              >
                {t("remove")}
              </Button>
            )}
          </li>
        ))}
      </ol>
      {!isReadOnly && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => change([...rows, { id: nextId, value: {} }])}
        >
          {t("add")}
        </Button>
      )}
    </Input.Wrapper>
  );
}
