// What a value is edited with: chosen by its type, whatever setting it belongs to.

import { Group, NativeSelect, NumberInput, PasswordInput, Switch, Text, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Form } from "../settings";
import { AmountField } from "./AmountField";
import { JsonField } from "./JsonField";
import { LinesField } from "./LinesField";
import { MappingField } from "./MappingField";
import { ModelsField } from "./ModelsField";
import { PartsField } from "./PartsField";
import { RowsField } from "./RowsField";

export type FieldProps = {
  form: Form;
  value: unknown;
  onChange: (value: unknown) => void;
  /** What it is called by those who do not see where it stands. */
  label: string;
  /** The label is shown at the field itself. */
  isLabelled?: boolean;
  error?: string | undefined;
  isReadOnly?: boolean | undefined;
};

/** Types that are one line of text. */
const lines = ["text", "path", "address", "cidr", "instant", "url", "proxy_url"];

export function Field(props: FieldProps) {
  const { form } = props;
  switch (form.type) {
    case "boolean":
      return <YesNo {...props} />;
    case "integer":
    case "number":
      return <NumberField {...props} />;
    case "duration":
    case "size":
      return <AmountField {...props} measure={form.type} />;
    case "choice":
      return <Choice {...props} />;
    case "models":
      return <ModelsField {...props} />;
    case "secret":
      return <SecretField {...props} />;
    case "mapping":
      return <MappingField {...props} />;
    case "fields":
      return <PartsField {...props} />;
    case "list":
      if (form.element === "fields") return <RowsField {...props} />;
      return lines.includes(form.element ?? "") ? <LinesField {...props} /> : <JsonField {...props} />;
    default:
      return lines.includes(form.type) ? <Line {...props} /> : <JsonField {...props} />;
  }
}

/** What every input takes of the props. */
export function inputProps({ label, isLabelled, error, isReadOnly }: FieldProps) {
  return { ...(isLabelled ? { label } : { "aria-label": label }), error, disabled: isReadOnly ?? false };
}

/** What holds when nothing is given. */
function placeholder({ form }: FieldProps): string | undefined {
  return form.default === null || form.default === undefined ? undefined : String(form.default);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function YesNo(props: FieldProps) {
  const { t } = useTranslation("settings");
  const { label, isLabelled, error, isReadOnly, value, onChange } = props;
  const isOn = value === true;
  return (
    <Group gap="xs">
      <Switch
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
        {...(isLabelled ? { label } : { "aria-label": label })}
        error={error}
        disabled={isReadOnly ?? false}
      />
      {!isLabelled && (
        <Text size="sm" aria-hidden>
          {t(isOn ? "on" : "off")}
        </Text>
      )}
    </Group>
  );
}

function NumberField(props: FieldProps) {
  const { form, value, onChange } = props;
  return (
    <NumberInput
      {...inputProps(props)}
      value={typeof value === "number" ? value : ""}
      onChange={(typed) => onChange(typeof typed === "number" ? typed : null)}
      {...(typeof form.minimum === "number" ? { min: form.minimum } : {})}
      {...(typeof form.maximum === "number" ? { max: form.maximum } : {})}
      clampBehavior="none"
      allowDecimal={form.type === "number"}
      thousandSeparator=" "
    />
  );
}

/** The browser's own: a page of settings has many of them, and Mantine's are a popover each. */
function Choice(props: FieldProps) {
  const { t } = useTranslation("settings");
  const { form, value, onChange } = props;
  const isOptional = form.default === null || form.default === undefined;
  const nothing = isOptional || !value ? [{ value: "", label: t("empty") }] : [];
  return (
    <NativeSelect
      {...inputProps(props)}
      data={[...nothing, ...(form.choices ?? [])]}
      value={value === null || value === undefined ? "" : String(value)}
      onChange={(event) => onChange(event.currentTarget.value || null)}
    />
  );
}

function Line(props: FieldProps) {
  return (
    <TextInput
      {...inputProps(props)}
      value={textOf(props.value)}
      placeholder={placeholder(props)}
      onChange={(event) => props.onChange(event.currentTarget.value || null)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

function SecretField(props: FieldProps) {
  const { t } = useTranslation();
  return (
    <PasswordInput
      {...inputProps(props)}
      value={textOf(props.value)}
      onChange={(event) => props.onChange(event.currentTarget.value || null)}
      autoComplete="off"
      spellCheck={false}
      visibilityToggleButtonProps={{ "aria-label": t("common:secret.reveal") }}
    />
  );
}
