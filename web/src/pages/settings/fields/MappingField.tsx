// Values by names. A row without a name is not written yet; two rows of one name are no value.

import { ActionIcon, Button, Input, TextInput, Tooltip } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { elementOf, emptyOf } from "../values";
import { Field, type FieldProps } from "./Field";
import classes from "./fields.module.css";

type Row = { id: number; name: string; value: unknown };

export function MappingField({ form, value, onChange, label, error, isReadOnly }: FieldProps) {
  const { t } = useTranslation("settings");
  const [rows, setRows] = useState<Row[]>(() => rowsOf(value));
  const element = elementOf(form);
  const change = (next: Row[]) => {
    setRows(next);
    const named = next.filter(({ name }) => name !== "");
    const value = Object.fromEntries(named.map((row) => [row.name, row.value]));
    onChange(Object.keys(value).length === named.length ? value : undefined);
  };
  const set = (id: number, part: Partial<Row>) =>
    change(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  const isTwice = ({ id, name }: Row) => name !== "" && rows.some((other) => other.id < id && other.name === name);
  return (
    <Input.Wrapper error={error}>
      <ul className={classes.rows} aria-label={label}>
        {rows.map((row, index) => (
          <li key={row.id} className={classes.pair}>
            <TextInput
              aria-label={t("nameOf", { name: label, place: index + 1 })}
              placeholder={t("name")}
              value={row.name}
              onChange={(event) => set(row.id, { name: event.currentTarget.value.trim() })}
              error={isTwice(row) ? t("twice") : undefined}
              disabled={isReadOnly ?? false}
              autoComplete="off"
              spellCheck={false}
            />
            <Field
              form={element}
              value={row.value}
              onChange={(next) => set(row.id, { value: next })}
              label={t("valueOf", { name: row.name || `${label} ${index + 1}` })}
              isReadOnly={isReadOnly}
            />
            {!isReadOnly && (
              <Tooltip label={t("remove")}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="lg"
                  aria-label={t("removeOf", { name: row.name || `${label} ${index + 1}` })}
                  onClick={() => change(rows.filter(({ id }) => id !== row.id))}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              </Tooltip>
            )}
          </li>
        ))}
      </ul>
      {!isReadOnly && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setRows([...rows, { id: nextId(rows), name: "", value: emptyOf(element) }])}
        >
          {t("add")}
        </Button>
      )}
    </Input.Wrapper>
  );
}

function rowsOf(value: unknown): Row[] {
  const pairs = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return pairs.map(([name, own], id) => ({ id, name, value: own }));
}

function nextId(rows: Row[]): number {
  return Math.max(-1, ...rows.map(({ id }) => id)) + 1;
}
