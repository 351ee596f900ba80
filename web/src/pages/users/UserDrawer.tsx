// One user: what they may do, what they own, and what they did.

import { Anchor, Button, Group, Stack, Tabs } from "@mantine/core";
import { IconBan, IconCircleCheck, IconPassword, IconShield, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Ago } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { History } from "@/components/History";
import { ToneBadge } from "@/components/StatusBadge";
import { useNotify } from "@/components/useNotify";
import { useUndoable } from "@/components/useUndoable";
import { useFormat } from "@/format/format";
import { DeleteUser } from "./DeleteUser";
import { ResetPassword } from "./ResetPassword";
import { type User, useChangeUser, useOwned } from "./users";

export function UserDrawer({ of: user, onClose }: { of: User | undefined; onClose: () => void }) {
  return (
    <DetailDrawer opened={user !== undefined} onClose={onClose} title={user?.username}>
      {user && <Detail key={user.id} of={user} onClose={onClose} />}
    </DetailDrawer>
  );
}

function Detail({ of: user, onClose }: { of: User; onClose: () => void }) {
  const { t } = useTranslation("users");
  return (
    <Stack gap="lg">
      <Summary of={user} />
      <Actions of={user} onClose={onClose} />
      <Tabs defaultValue="did" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="did">{t("tabs.did")}</Tabs.Tab>
          <Tabs.Tab value="about">{t("tabs.about")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="did" pt="sm">
          <History of={{ actor: user.username }} />
        </Tabs.Panel>
        <Tabs.Panel value="about" pt="sm">
          <History of={{ resource: "users", resource_id: String(user.id) }} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Summary({ of: user }: { of: User }) {
  const { t } = useTranslation("users");
  const format = useFormat();
  const owned = useOwned(user.username).data;
  const search = new URLSearchParams({ owner: user.username });
  return (
    <Stack gap="sm">
      <Group>
        <ToneBadge tone={user.enabled ? "ok" : "off"}>
          {t(user.enabled ? "states.enabled" : "states.disabled")}
        </ToneBadge>
      </Group>
      <Facts
        facts={[
          [t("role"), t(`common:role.${user.role}`)],
          [
            t("owned.title"),
            owned ? (
              <Group key="owned" gap="xs">
                <Anchor component={Link} to={`/clients?${search}`} inherit>
                  {t("owned.clients", { count: owned.clients, number: format.number(owned.clients) })}
                </Anchor>
                <Anchor component={Link} to={`/keys?${search}`} inherit>
                  {t("owned.keys", { count: owned.keys, number: format.number(owned.keys) })}
                </Anchor>
              </Group>
            ) : (
              "…"
            ),
          ],
          [t("created"), <Ago key="created" time={user.created_at} />],
          [t("updated"), <Ago key="updated" time={user.updated_at} />],
        ]}
      />
    </Stack>
  );
}

function Actions({ of: user, onClose }: { of: User; onClose: () => void }) {
  const { t } = useTranslation("users");
  const notify = useNotify();
  const update = useUpdate(user);
  const [asked, setAsked] = useState<"password" | "delete" | null>(null);
  const Toggle = user.enabled ? IconBan : IconCircleCheck;
  const shared = { variant: "default", size: "xs" } as const;
  const role = user.role === "admin" ? "member" : "admin";
  const close = () => setAsked(null);
  return (
    <Group gap="xs">
      <Button {...shared} leftSection={<IconShield size={15} />} onClick={() => void update({ role })}>
        {t(`make.${role}`)}
      </Button>
      <Button {...shared} leftSection={<IconPassword size={15} />} onClick={() => setAsked("password")}>
        {t("reset.action")}
      </Button>
      <Button {...shared} leftSection={<Toggle size={15} />} onClick={() => void update({ enabled: !user.enabled })}>
        {t(user.enabled ? "disable" : "enable")}
      </Button>
      <Button {...shared} c="var(--km-bad)" leftSection={<IconTrash size={15} />} onClick={() => setAsked("delete")}>
        {t("delete.action")}
      </Button>
      {asked === "password" && (
        <ResetPassword
          of={user}
          opened
          onClose={close}
          onDone={() => notify.done(t("reset.done", { name: user.username }))}
        />
      )}
      <DeleteUser of={user} opened={asked === "delete"} onClose={close} onDeleted={onClose} />
    </Group>
  );
}

/** Changes role or state; for a while that can be undone. */
function useUpdate(user: User) {
  const { t } = useTranslation("users");
  const change = useUndoable();
  const patch = useChangeUser();
  return (set: Partial<Pick<User, "role" | "enabled">>) => {
    const before = { role: user.role, enabled: user.enabled };
    const undo = Object.fromEntries(Object.keys(set).map((name) => [name, before[name as keyof typeof before]]));
    return change({
      make: () => patch(user.id, set),
      said: () => t("saved", { name: user.username }),
      undo: () => () => patch(user.id, undo),
      changes: ["/api/users"],
    });
  };
}
