// Changes one's own password: the one until now proves who asks, and the new one is typed twice.

import { Alert, Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, ask } from "@/api/client";
import { ApiError } from "@/api/error";
import { useErrorText } from "@/components/useErrorText";
import { useNotify } from "@/components/useNotify";

/** The API takes none that is shorter, or longer. */
const [shortest, longest] = [8, 1024];

type ChangePasswordProps = { username: string; opened: boolean; onClose: () => void };

export default function ChangePassword({ username, opened, onClose }: ChangePasswordProps) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("user.password.change")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <PasswordForm username={username} onDone={onClose} />
    </Modal>
  );
}

const nothing = { current: "", new: "", repeat: "" };
type Name = keyof typeof nothing;

function PasswordForm({ username, onDone }: { username: string; onDone: () => void }) {
  const { t } = useTranslation();
  const notify = useNotify();
  const [values, setValues] = useState(nothing);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const differs = values.repeat !== "" && values.repeat !== values.new;
  const isComplete = values.current !== "" && values.new.length >= shortest && values.repeat === values.new;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      const body = { current_password: values.current, new_password: values.new };
      await ask(api.POST("/api/me/password", { body }));
      notify.done(t("user.password.done"));
      onDone();
    } catch (failure) {
      setError(failure);
    } finally {
      setIsBusy(false);
    }
  };

  const refused = error instanceof ApiError ? error.field : undefined;
  const errors: Record<Name, string | undefined> = {
    current: refused === "current_password" ? t("user.password.wrong") : undefined,
    new: refused === "new_password" && error instanceof ApiError ? error.message : undefined,
    repeat: differs ? t("user.password.differs") : undefined,
  };
  const field = (name: Name) => ({
    value: values[name],
    error: errors[name],
    onChange: (event: { currentTarget: HTMLInputElement }) =>
      setValues({ ...values, [name]: event.currentTarget.value }),
    autoComplete: name === "current" ? "current-password" : "new-password",
    visibilityToggleButtonProps: { "aria-label": t("user.password.show") },
    maxLength: longest,
    required: true,
  });
  return (
    <form onSubmit={(event) => void submit(event)}>
      {/* Password managers ask whose password it is. */}
      <input type="text" autoComplete="username" value={username} readOnly hidden />
      <Stack gap="md">
        <PasswordInput label={t("user.password.current")} {...field("current")} data-autofocus />
        <PasswordInput label={t("user.password.new")} description={t("user.password.rule")} {...field("new")} />
        <PasswordInput label={t("user.password.repeat")} {...field("repeat")} />
        {error !== null && !errors.current && !errors.new && <Refusal error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone} disabled={isBusy}>
            {t("cancel")}
          </Button>
          <Button type="submit" loading={isBusy} disabled={!isComplete}>
            {t("user.password.change")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Why it was not changed, where no field is to blame. */
function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const { title, advice } = useErrorText()(error);
  const isFixed = error instanceof ApiError && error.code === "fixed";
  return (
    <Alert color="red" role="alert" title={isFixed ? t("user.password.fixed") : title}>
      {advice}
    </Alert>
  );
}
