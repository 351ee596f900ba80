// Search and filters of a list, kept in the address.

import { Badge, Button, CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconFilter, IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./FilterBar.module.css";

export type Filter = {
  name: string;
  label: string;
  /** `text` is searched while it is typed; `choice` is one of some values. */
  kind: "text" | "choice";
  choices?: { value: string; label: string }[];
  /** Whether a choice can be found by typing. */
  isLong?: boolean;
  placeholder?: string;
};

type FilterBarProps = {
  filters: Filter[];
  values: { [name: string]: string | undefined };
  onChange: (change: { [name: string]: string | null }) => void;
  /** What belongs beside the filters, such as a time range. */
  children?: ReactNode;
  /** Names of what the children set: cleared with the filters. */
  alsoClears?: readonly string[];
};

export function FilterBar({ filters, values, onChange, children, alsoClears = [] }: FilterBarProps) {
  const { t } = useTranslation();
  const [isOpen, { toggle }] = useDisclosure(false);
  const [search, ...others] = filters;
  const names = [...filters.map(({ name }) => name), ...alsoClears];
  const isSet = names.some((name) => values[name]);
  const setBehind = others.filter(({ name }) => values[name]).length;
  const clear = () => onChange(Object.fromEntries(names.map((name) => [name, null])));
  return (
    <search className={classes.bar} aria-label={t("filter.label")}>
      <div className={classes.first}>
        {search && <Field filter={search} value={values[search.name]} onChange={onChange} isMain />}
        {others.length > 0 && (
          <Button
            className={classes.toggle}
            variant="default"
            leftSection={<IconFilter size={16} />}
            onClick={toggle}
            aria-expanded={isOpen}
          >
            {t("filter.more")}
            {setBehind > 0 && (
              <Badge ml={6} size="sm" circle>
                {setBehind}
              </Badge>
            )}
          </Button>
        )}
      </div>
      <div className={classes.others} data-open={isOpen || undefined}>
        {others.map((filter) => (
          <Field key={filter.name} filter={filter} value={values[filter.name]} onChange={onChange} />
        ))}
        {children}
        {isSet && (
          <Button variant="subtle" color="gray" onClick={clear}>
            {t("filter.clear")}
          </Button>
        )}
      </div>
    </search>
  );
}

type FieldProps = { filter: Filter; value: string | undefined; onChange: FilterBarProps["onChange"]; isMain?: boolean };

function Field({ filter, value, onChange, isMain }: FieldProps) {
  if (filter.kind === "text") return <Search filter={filter} value={value} onChange={onChange} isMain={isMain} />;
  return (
    <Select
      aria-label={filter.label}
      placeholder={filter.label}
      data={filter.choices ?? []}
      value={value ?? null}
      onChange={(chosen) => onChange({ [filter.name]: chosen })}
      clearable
      searchable={filter.isLong ?? false}
      className={classes.field}
      data-set={value !== undefined || undefined}
    />
  );
}

const typingPause = 300;

function Search({ filter, value = "", onChange, isMain }: FieldProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback((typed: string) => onChange({ [filter.name]: typed.trim() || null }), typingPause);
  // The address changes by other means too: "back", or a filter that is cleared.
  useEffect(() => setText(value), [value]);
  const type = (typed: string) => {
    setText(typed);
    tell(typed);
  };
  return (
    <TextInput
      type="search"
      aria-label={filter.label}
      placeholder={filter.placeholder ?? filter.label}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      leftSection={<IconSearch size={16} />}
      rightSection={
        text && (
          <CloseButton size="sm" aria-label={t("filter.clearOne", { name: filter.label })} onClick={() => type("")} />
        )
      }
      className={isMain ? classes.main : classes.field}
      data-search={isMain || undefined}
    />
  );
}
