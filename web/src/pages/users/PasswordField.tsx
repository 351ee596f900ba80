// A password for somebody else: typed, or made.

import { Button, PasswordInput } from "@mantine/core";
import { IconDice5 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { newPassword } from "./users";
import classes from "./users.module.css";

/** The API takes none that is shorter. */
export const shortest = 8;

type PasswordFieldProps = { value: string; onChange: (password: string) => void; error?: string | undefined };

export function PasswordField({ value, onChange, error }: PasswordFieldProps) {
  const { t } = useTranslation("users");
  return (
    <div className={classes.password}>
      <PasswordInput
        label={t("password")}
        description={t("passwordHint")}
        autoComplete="new-password"
        required
        value={value}
        error={error}
        visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button variant="default" leftSection={<IconDice5 size={16} />} onClick={() => onChange(newPassword())}>
        {t("makeOne")}
      </Button>
    </div>
  );
}
