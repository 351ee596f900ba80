// A form about a client key: what is typed, what is wrong with it, and what is done with it.

import { Alert, Button, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { useErrorText } from "@/components/useErrorText";
import { ClientFields } from "./ClientFields";
import classes from "./clients.module.css";
import type { Values } from "./form";
import { Presets } from "./Presets";

type ClientFormProps = {
  start: Values;
  submitLabel: string;
  onSubmit: (values: Values) => Promise<unknown>;
  onCancel?: () => void;
  /** Whether usual limits are offered to begin with. */
  hasPresets?: boolean;
};

export function ClientForm({ start, submitLabel, onSubmit, onCancel, hasPresets }: ClientFormProps) {
  const { t } = useTranslation("clients");
  const errorText = useErrorText();
  const [values, setValues] = useState(start);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const change = (some: Partial<Values>) => setValues((before) => ({ ...before, ...some }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      await onSubmit(values);
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };
  const wrong = (field: string) => (error instanceof ApiError && error.field === field ? error.message : undefined);
  const told = error ? errorText(error) : null;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="md">
        <ClientFields
          values={values}
          onChange={change}
          wrong={wrong}
          presets={hasPresets ? <Presets values={values} onChoose={change} /> : undefined}
        />
        {told && (
          <Alert color="red" role="alert" title={told.title}>
            {told.advice}
          </Alert>
        )}
      </Stack>
      <div className={classes.foot}>
        {onCancel && (
          <Button variant="default" onClick={onCancel} disabled={isBusy}>
            {t("common:cancel")}
          </Button>
        )}
        <Button type="submit" loading={isBusy} disabled={values.name.trim() === ""}>
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}
