// Asks for the client key that the playground calls with, or makes one.

import { Alert, Button, Checkbox, Divider, PasswordInput, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/components/useErrorText";
import { useSession } from "@/session/session";
import { type Access, useNewClient } from "./access";
import type { Failure } from "./chat";
import { FailureView } from "./FailureView";

type AccessFormProps = { access: Access; onUse: (access: Access) => void; failure?: Failure };

export function AccessForm({ access, onUse, failure }: AccessFormProps) {
  const { t } = useTranslation("playground");
  const errorText = useErrorText();
  const { data: me } = useSession();
  const [typed, setTyped] = useState("");
  const [isKept, setIsKept] = useState(access.isKept);
  const create = useNewClient(me?.username ?? "", (key) => onUse({ key, isKept }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onUse({ key: typed.trim(), isKept });
  };
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        {t("access.about")}
      </Text>
      {failure && access.key !== null && <FailureView failure={failure} />}
      <form onSubmit={submit}>
        <Stack gap="sm">
          <PasswordInput
            label={t("access.key")}
            placeholder="sk-…"
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            visibilityToggleButtonProps={{ "aria-label": t("access.show") }}
          />
          <Checkbox
            label={t("access.keep")}
            description={t("access.keepText")}
            checked={isKept}
            onChange={(event) => setIsKept(event.currentTarget.checked)}
          />
          <Button type="submit" disabled={typed.trim() === ""}>
            {t("access.use")}
          </Button>
        </Stack>
      </form>
      <Divider label={t("access.or")} />
      <Text size="sm" c="dimmed">
        {t("access.createText")}
      </Text>
      <Button variant="default" loading={create.isPending} onClick={() => create.mutate()}>
        {t("access.create")}
      </Button>
      {create.error && (
        <Alert color="red" role="alert" title={errorText(create.error).title}>
          {errorText(create.error).advice}
        </Alert>
      )}
    </Stack>
  );
}
