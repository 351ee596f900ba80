// Users: who can log in, and what each may do. For administrators.

import { Badge, Button, Group } from "@mantine/core";
import { IconPlus, IconSearchOff } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useUrlState } from "@/app/urlState";
import { Ago } from "@/components/Countdown";
import { type Column, DataTable } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { PageHeader, Panel } from "@/components/Panel";
import { ToneBadge } from "@/components/StatusBadge";
import { EmptyState } from "@/components/states";
import { useSession } from "@/session/session";
import { NewUser } from "./NewUser";
import { UserDrawer } from "./UserDrawer";
import { type User, useUsers } from "./users";
import classes from "./users.module.css";

export default function UsersPage() {
  const { t } = useTranslation("users");
  const [url, setUrl] = useUrlState(["q", "sort", "user", "new"]);
  const { sort = "id", q } = url;
  const list = useUsers({ sort, ...(q ? { q } : {}) });
  const columns = useColumns();
  const openId = url.user ? Number(url.user) : null;
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setUrl({ new: "open" })}>
      {t("new")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} actions={add} />
      <Panel isFlush>
        <Group px="md" py="xs">
          <FilterBar
            filters={[{ name: "q", label: t("search"), kind: "text", placeholder: t("name") }]}
            values={url}
            onChange={setUrl}
          />
        </Group>
        <DataTable
          label={t("title")}
          name="users"
          columns={columns}
          list={list}
          rowId={(user) => user.id}
          rowName={(user) => user.username}
          sort={sort}
          onSort={(next) => setUrl({ sort: next === "id" ? null : next })}
          onOpen={(user) => setUrl({ user: String(user.id) }, { push: true })}
          openId={openId}
          empty={<EmptyState icon={<IconSearchOff size={26} />} title={t("noMatch")} />}
        />
      </Panel>
      <UserDrawer of={list.rows.find(({ id }) => id === openId)} onClose={() => setUrl({ user: null })} />
      <NewUser opened={url.new === "open"} onClose={() => setUrl({ new: null })} />
    </>
  );
}

function useColumns(): Column<User>[] {
  const { t } = useTranslation("users");
  const me = useSession().data?.id;
  return useMemo(
    () => [
      {
        id: "name",
        header: t("name"),
        sort: "username",
        card: "title",
        cell: (user) => (
          <span className={classes.name}>
            {user.username}
            {user.id === me && <Badge size="sm">{t("you")}</Badge>}
          </span>
        ),
      },
      { id: "role", header: t("role"), width: 11, cell: (user) => t(`common:role.${user.role}`) },
      {
        id: "state",
        header: t("state"),
        width: 10,
        card: "aside",
        cell: ({ enabled }) => (
          <ToneBadge tone={enabled ? "ok" : "off"}>{t(enabled ? "states.enabled" : "states.disabled")}</ToneBadge>
        ),
      },
      {
        id: "created",
        header: t("created"),
        sort: "created_at",
        width: 9,
        cell: (user) => <Ago time={user.created_at} />,
      },
      { id: "updated", header: t("updated"), width: 11, cell: (user) => <Ago time={user.updated_at} /> },
    ],
    [t, me],
  );
}
