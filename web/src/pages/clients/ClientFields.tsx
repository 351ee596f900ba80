// The fields of a client key, in sections: what it is, how much it may use, and what of.

import { Button, Group, NumberInput, Select, Stack, TagsInput, Text, TextInput, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { useProviders } from "@/api/providers";
import { useIsAdmin } from "@/session/session";
import { useModelNames, useUserNames } from "./clients";
import classes from "./clients.module.css";
import { type AmountName, inDays, type ListName, type Values } from "./form";
import type { LimitName } from "./limits";

type FieldsProps = {
  values: Values;
  onChange: (change: Partial<Values>) => void;
  /** What the API said of a field. */
  wrong: (field: string) => string | undefined;
  /** Stands above the limits. */
  presets?: ReactNode;
};

export function ClientFields({ presets, ...props }: FieldsProps) {
  const { t } = useTranslation("clients");
  return (
    <Stack gap="lg">
      <Section title={t("form.what")}>
        <Identity {...props} />
      </Section>
      <Section title={t("form.howMuch")} lead={t("form.howMuchLead")}>
        {presets}
        <Amounts {...props} />
      </Section>
      <Section title={t("form.whatOf")} lead={t("form.whatOfLead")}>
        <Lists {...props} />
      </Section>
    </Stack>
  );
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <Title order={3} id={id}>
        {title}
      </Title>
      {lead && (
        <Text size="xs" c="dimmed">
          {lead}
        </Text>
      )}
      <Stack gap="sm" mt="xs">
        {children}
      </Stack>
    </section>
  );
}

function Identity({ values, onChange, wrong }: FieldsProps) {
  const { t } = useTranslation("clients");
  const isAdmin = useIsAdmin();
  return (
    <>
      <div className={classes.fields}>
        <TextInput
          label={t("name")}
          placeholder={t("form.namePlaceholder")}
          value={values.name}
          error={wrong("name")}
          maxLength={100}
          required
          data-autofocus
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        {isAdmin && <Owner values={values} onChange={onChange} wrong={wrong} />}
      </div>
      <Expiry values={values} onChange={onChange} wrong={wrong} />
    </>
  );
}

function Owner({ values, onChange, wrong }: FieldsProps) {
  const { t } = useTranslation("clients");
  return (
    <Select
      label={t("owner")}
      placeholder={t("nobody")}
      data={useUserNames()}
      value={values.owner}
      error={wrong("owner")}
      clearable
      searchable
      onChange={(owner) => onChange({ owner })}
    />
  );
}

const usualDays = [7, 30, 90];

function Expiry({ values, onChange, wrong }: FieldsProps) {
  const { t } = useTranslation("clients");
  return (
    <Group gap="xs" align="end">
      <TextInput
        type="datetime-local"
        label={t("expires")}
        value={values.expires}
        error={wrong("expires_at")}
        onChange={(event) => onChange({ expires: event.currentTarget.value })}
      />
      <Group gap={4} pb={4}>
        <Button size="compact-sm" variant="default" onClick={() => onChange({ expires: "" })}>
          {t("form.never")}
        </Button>
        {usualDays.map((days) => (
          <Button
            key={days}
            size="compact-sm"
            variant="default"
            onClick={() => onChange({ expires: inDays(days, Date.now()) })}
          >
            {t("form.days", { count: days })}
          </Button>
        ))}
      </Group>
    </Group>
  );
}

/** The limits that are numbers, and what each is called where its use is shown. */
const amounts: [AmountName, LimitName][] = [
  ["rpm", "rpm"],
  ["rpd", "rpd"],
  ["tpm", "tpm"],
  ["tpd", "tpd"],
  ["max_concurrent", "concurrent"],
];

function Amounts({ values, onChange, wrong }: FieldsProps) {
  const { t } = useTranslation("clients");
  const shared = { placeholder: t("form.noLimit"), thousandSeparator: " ", allowNegative: false };
  return (
    <>
      <div className={classes.fields}>
        {amounts.map(([name, limit]) => (
          <NumberInput
            key={name}
            {...shared}
            label={t(`limits.${limit}`)}
            value={values[name]}
            error={wrong(name)}
            min={1}
            allowDecimal={false}
            onChange={(value) => onChange({ [name]: value === "" ? "" : Number(value) })}
          />
        ))}
      </div>
      <div className={classes.fields}>
        <NumberInput
          {...shared}
          label={t("limits.budget")}
          prefix="$"
          value={values.budget_usd}
          error={wrong("budget_usd")}
          min={0}
          decimalScale={4}
          onChange={(value) => onChange({ budget_usd: value === "" ? "" : Number(value) })}
        />
        <Select
          label={t("form.period")}
          data={(["day", "month"] as const).map((value) => ({ value, label: t(`form.per.${value}`) }))}
          value={values.budget_period}
          allowDeselect={false}
          onChange={(period) => onChange({ budget_period: period === "day" ? "day" : "month" })}
        />
      </div>
    </>
  );
}

/** Endpoints that most callers use, as the request log names them. */
const usualEndpoints = [
  "chat.completions",
  "embeddings",
  "images.generations",
  "generateContent",
  "streamGenerateContent",
  "countTokens",
  "embedContent",
  "models.*",
  "files.*",
];

function Lists({ values, onChange, wrong }: FieldsProps) {
  const { t } = useTranslation("clients");
  const providers = useProviders().data ?? [];
  const known: Record<ListName, string[]> = {
    allowed_providers: providers.map(({ name }) => name),
    allowed_models: useModelNames(),
    allowed_endpoints: usualEndpoints,
    allowed_ips: [],
  };
  return (Object.keys(known) as ListName[]).map((name) => (
    <TagsInput
      key={name}
      label={t(`lists.${name}`)}
      description={t(`form.hints.${name}`)}
      placeholder={values[name].length === 0 ? t("lists.any") : undefined}
      data={known[name]}
      limit={50}
      value={values[name]}
      error={wrong(name)}
      acceptValueOnBlur
      splitChars={[",", " ", ";"]}
      onChange={(list) => onChange({ [name]: list })}
    />
  ));
}
