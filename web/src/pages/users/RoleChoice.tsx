// What a user may do, with what that means.

import { Radio, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type Role, roles } from "./users";

export function RoleChoice({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  const { t } = useTranslation("users");
  return (
    <Radio.Group label={t("role")} value={value} onChange={(role) => onChange(role as Role)}>
      <Stack gap="xs" mt={6}>
        {roles.map((role) => (
          <Radio key={role} value={role} label={t(`common:role.${role}`)} description={t(`sees.${role}`)} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
