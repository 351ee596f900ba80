// Search and filters of a list, kept in the address.

import { Badge, Button, CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconFilter, IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
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
  const [clears, setClears] = useState(0);
  const [search, ...others] = filters;
  const names = [...filters.map(({ name }) => name), ...alsoClears];
  const isSet = names.some((name) => values[name]);
  const setBehind = others.filter(({ name }) => values[name]).length;
  const clear = () => {
    setClears(clears + 1);
    onChange(Object.fromEntries(names.map((name) => [name, null])));
  };
  const field = (filter: Filter, isMain = false) => (
    <Field
      key={filter.name}
      filter={filter}
      value={values[filter.name]}
      onChange={onChange}
      clears={clears}
      isMain={isMain}
    />
  );
  return (
    <search className={classes.bar} aria-label={t("filter.label")}>
      <div className={classes.first}>
        {search && field(search, true)}
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
        {others.map((filter) => field(filter))}
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

type FieldProps = {
  filter: Filter;
  value: string | undefined;
  onChange: FilterBarProps["onChange"];
  /** How often all filters have been cleared. */
  clears: number;
  isMain: boolean;
};

function Field(props: FieldProps) {
  const { filter, value, onChange } = props;
  if (filter.kind === "text") return <Search {...props} />;
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

function Search({ filter, value = "", onChange, clears, isMain }: FieldProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  /** What was typed, until it has come back by the address. */
  const awaited = useRef<string | null>(null);
  const tell = useDebouncedCallback((wanted: string) => {
    if (wanted === value) awaited.current = null;
    onChange({ [filter.name]: wanted || null });
  }, typingPause);
  // The address changes by other means too, such as "back". Whoever is typing goes on: what they type is told later.
  useEffect(() => {
    if (awaited.current === null) setText(value);
    else if (awaited.current === value) awaited.current = null;
  }, [value]);
  // Cleared is cleared: also what has been typed and not been told yet.
  useEffect(() => {
    if (clears === 0) return;
    tell.cancel();
    awaited.current = null;
    setText("");
  }, [clears, tell]);
  const type = (typed: string) => {
    setText(typed);
    awaited.current = typed.trim();
    tell(awaited.current);
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
