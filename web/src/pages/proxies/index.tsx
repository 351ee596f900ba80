// The ways on which requests leave keymux: which work, why others do not, when those are tried again, and the lists that
// they are found in.

import { Button } from "@mantine/core";
import { IconRoute, IconSettings } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useUrlState } from "@/app/urlState";
import { PageHeader, Panel } from "@/components/Panel";
import { EmptyState, LoadingRows } from "@/components/states";
import { ProxyDrawer } from "./ProxyDrawer";
import { idOf, isProxy, useWays } from "./proxies";
import { SourceDrawer } from "./SourceDrawer";
import { Sources } from "./Sources";
import { Summary } from "./Summary";
import { useSources } from "./sources";
import { Ways } from "./Ways";

export default function ProxiesPage() {
  const { t } = useTranslation("proxies");
  const [url, setUrl] = useUrlState(["q", "source", "proxy", "list"]);
  const all = useWays();
  const sources = useSources();
  const hasLists = sources.rows.length > 0 || sources.error !== null;
  const isKnown = !all.isPending && !all.error && !sources.isPending;
  const hasNone = isKnown && !hasLists && !all.rows.some(isProxy);
  const settings = (
    <Button
      component={Link}
      to="/settings#section-egress"
      variant={hasNone ? "filled" : "default"}
      leftSection={<IconSettings size={16} />}
    >
      {t("settings")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("title")} lead={t("lead")} actions={settings} />
      {hasNone ? (
        <Panel>
          <EmptyState icon={<IconRoute size={26} />} title={t("empty")} action={settings}>
            {t("emptyText")}
          </EmptyState>
        </Panel>
      ) : (
        <>
          {all.rows.length > 0 && <Summary list={all} />}
          {sources.isPending ? (
            <LoadingRows />
          ) : (
            <Ways key={String(hasLists)} sources={sources.rows.map(({ name }) => name)} url={url} onUrl={setUrl} />
          )}
          {hasLists && <Sources list={sources} openName={url.list} onOpen={(list) => setUrl({ list })} />}
        </>
      )}
      <ProxyDrawer of={all.rows.find((way) => idOf(way) === url.proxy)} onClose={() => setUrl({ proxy: null })} />
      <SourceDrawer of={sources.rows.find(({ name }) => name === url.list)} onClose={() => setUrl({ list: null })} />
    </>
  );
}
