// Where everybody comes in who has no session, and goes on to where they wanted to.

import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, useSearchParams } from "react-router";
import { ApiError } from "@/api/error";
import { Brand } from "@/app/Brand";
import { Preferences } from "@/app/Preferences";
import { useErrorText } from "@/components/useErrorText";
import { useLogin, useSession } from "@/session/session";
import classes from "./login.module.css";

export default function LoginPage() {
  const { t } = useTranslation("login");
  useDocumentTitle(`${t("title")} · keymux`);
  const session = useSession();
  const [search] = useSearchParams();
  if (session.data) return <Navigate to={whereTo(search.get("next"))} replace />;
  return (
    <main className={classes.page}>
      <section className={classes.card} aria-labelledby="login-title">
        <Brand />
        <div>
          <Title order={1} id="login-title">
            {t("title")}
          </Title>
          <Text c="dimmed" size="sm">
            {t("lead")}
          </Text>
        </div>
        <LoginForm />
        <Text c="dimmed" size="xs">
          {t("firstPassword")}
        </Text>
      </section>
      <div className={classes.preferences}>
        <Preferences />
      </div>
    </main>
  );
}

function LoginForm() {
  const { t } = useTranslation("login");
  const login = useLogin();
  const told = useLoginError()(login.error);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate({ username, password });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label={t("username")}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
          required
          withAsterisk={false}
          autoFocus
        />
        <PasswordInput
          label={t("password")}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        {told && (
          <Alert color="red" variant="light" role="alert">
            {told}
          </Alert>
        )}
        <Button type="submit" size="md" fullWidth loading={login.isPending}>
          {t("submit")}
        </Button>
      </Stack>
    </form>
  );
}

function useLoginError() {
  const { t } = useTranslation("login");
  const errorText = useErrorText();
  return (error: unknown) => {
    if (!error) return null;
    if (error instanceof ApiError && error.status === 401) return t("wrong");
    const { title, advice } = errorText(error);
    return `${title}. ${advice}`;
  };
}

/** Only to a page of this dashboard, whatever a link says. */
function whereTo(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
