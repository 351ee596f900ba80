// What is around every page: navigation, whether figures are live, who is logged in. Nobody gets past it without a session.

import { ActionIcon, Drawer, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { useContext, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation, useNavigation } from "react-router";
import { ErrorState, LoadingPage } from "@/components/states";
import { useIsAdmin, useSession } from "@/session/session";
import { Brand } from "./Brand";
import { ForAdmins } from "./ForAdmins";
import classes from "./Layout.module.css";
import { LiveBadge } from "./LiveBadge";
import { Nav } from "./Nav";
import { type PageRoute, Pages } from "./pages";
import { Shortcuts } from "./Shortcuts";
import { UserMenu } from "./UserMenu";

export function Layout({ pages }: { pages: PageRoute[] }) {
  const session = useSession();
  const location = useLocation();
  if (session.isPending) return <LoadingPage />;
  if (session.error) return <ErrorState error={session.error} onRetry={() => void session.refetch()} />;
  if (!session.data) {
    const here = location.pathname + location.search;
    return <Navigate to={here === "/" ? "/login" : `/login?next=${encodeURIComponent(here)}`} replace />;
  }
  return (
    <Pages value={pages}>
      <Shell />
    </Pages>
  );
}

function Shell() {
  const { t } = useTranslation();
  const [isOpen, { open, close }] = useDisclosure(false);
  const navigation = useNavigation();
  const { pathname } = useLocation();
  const page = useContext(Pages).find(({ path }) => path === pathname);
  const isAdmin = useIsAdmin();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  // Another page: screen readers and the keyboard start at its beginning.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what this waits for
  useEffect(() => {
    close();
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        {t("skip")}
      </a>
      <header className={classes.topbar}>
        <Group gap="xs" wrap="nowrap">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            onClick={open}
            aria-label={t("nav.open")}
            aria-expanded={isOpen}
          >
            <IconMenu2 size={20} />
          </ActionIcon>
          <Brand />
        </Group>
        <Group gap="xs" wrap="nowrap">
          <LiveBadge />
          <UserMenu />
        </Group>
      </header>
      <aside className={classes.sidebar}>
        <Brand />
        <Nav />
        <div className={classes.sidefoot}>
          <LiveBadge />
          <UserMenu isWide />
        </div>
      </aside>
      <Drawer
        opened={isOpen}
        onClose={close}
        position="left"
        size="17rem"
        title={<Brand />}
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <Nav />
      </Drawer>
      <main
        id="main"
        ref={main}
        tabIndex={-1}
        className={classes.main}
        data-loading={navigation.state !== "idle" || undefined}
      >
        {page?.isForAdmins && !isAdmin ? <ForAdmins page={page} /> : <Outlet />}
      </main>
      <Shortcuts />
    </div>
  );
}
