// Who is logged in, and what concerns them alone: colours, language, shortcuts, the password, the way out.

import { ActionIcon, Button, Popover, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKeyboard, IconLogout, IconPassword, IconUserCircle } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useLogout, useSession } from "@/session/session";
import { Preferences } from "./Preferences";
import { openShortcuts } from "./Shortcuts";

const ChangePassword = lazy(() => import("./ChangePassword"));

export function UserMenu({ isWide }: { isWide?: boolean }) {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const [isChanging, { open: changePassword, close: leavePassword }] = useDisclosure(false);
  const { data: me } = useSession();
  const logout = useLogout();
  if (!me) return null;
  const showShortcuts = () => {
    close();
    openShortcuts();
  };
  const showPassword = () => {
    close();
    changePassword();
  };
  const menu = (
    <Popover
      opened={opened}
      onChange={(open) => !open && close()}
      width="17rem"
      trapFocus
      position={isWide ? "top-start" : "bottom-end"}
    >
      <Popover.Target>
        {isWide ? (
          <Button
            variant="subtle"
            color="gray"
            fullWidth
            justify="flex-start"
            px="xs"
            leftSection={<IconUserCircle size={18} />}
            onClick={toggle}
            aria-haspopup="dialog"
            c="inherit"
            fw={500}
          >
            {me.username}
          </Button>
        ) : (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            onClick={toggle}
            aria-label={t("user.menu")}
            aria-haspopup="dialog"
          >
            <IconUserCircle size={20} />
          </ActionIcon>
        )}
      </Popover.Target>
      <Popover.Dropdown aria-label={t("user.menu")}>
        <Stack gap="sm">
          <div>
            <Text fw={600}>{me.username}</Text>
            <Text size="xs" c="dimmed">
              {t(`role.${me.role}`)}
            </Text>
          </div>
          <Preferences />
          <Button variant="default" leftSection={<IconKeyboard size={16} />} onClick={showShortcuts}>
            {t("shortcuts.title")}
          </Button>
          <Button variant="default" leftSection={<IconPassword size={16} />} onClick={showPassword}>
            {t("user.password.change")}
          </Button>
          <Button
            variant="default"
            leftSection={<IconLogout size={16} />}
            loading={logout.isPending}
            onClick={() => logout.mutate()}
          >
            {t("user.logout")}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
  return (
    <>
      {menu}
      {isChanging && (
        <Suspense>
          <ChangePassword username={me.username} opened onClose={leavePassword} />
        </Suspense>
      )}
    </>
  );
}
