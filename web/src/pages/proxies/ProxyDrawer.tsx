// One way on which requests leave: how it stands and why, and for a proxy what can be done about that.

import { Group, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Ago } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { History } from "@/components/History";
import { ToneBadge } from "@/components/StatusBadge";
import { useFormat } from "@/format/format";
import { Actions } from "./Actions";
import { failureShare, idOf, isProxy, toneOf, type Way } from "./proxies";
import { Why } from "./Why";

export function ProxyDrawer({ of: way, onClose }: { of: Way | undefined; onClose: () => void }) {
  const { t } = useTranslation("proxies");
  return (
    <DetailDrawer opened={way !== undefined} onClose={onClose} title={way && (isProxy(way) ? way.name : t("direct"))}>
      {way && <Detail key={idOf(way)} of={way} />}
    </DetailDrawer>
  );
}

function Detail({ of: way }: { of: Way }) {
  const { t } = useTranslation("proxies");
  return (
    <Stack gap="lg">
      <Group gap="sm">
        <ToneBadge tone={toneOf[way.status]}>{t(`state.${way.status}`)}</ToneBadge>
        <Text size="sm" component="div">
          <Why of={way} />
        </Text>
      </Group>
      {way.id != null && (
        <>
          <Actions of={way} id={way.id} />
          <Known of={way} />
          <section>
            <Title order={3} mb="xs">
              {t("history")}
            </Title>
            <History of={{ resource: "egress_proxies", resource_id: way.name }} />
          </section>
        </>
      )}
    </Stack>
  );
}

function Known({ of: way }: { of: Way }) {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  const share = failureShare(way);
  return (
    <Facts
      facts={[
        [t("source"), way.source ?? t("named")],
        [t("since"), way.since ? <Ago key="since" time={way.since} /> : "–"],
        [t("attempts"), format.number(way.attempts ?? 0)],
        [t("failures"), format.number(way.failures ?? 0)],
        [t("failureShare"), share === null ? "–" : format.percent(share)],
        [t("checked"), way.checked_at ? <Ago key="checked" time={way.checked_at} /> : t("never")],
        [t("latency"), way.latency_ms == null ? "–" : format.latency(way.latency_ms)],
      ]}
    />
  );
}
