// One list of proxies: what of it was left out and why, and its first entries that are no proxies.

import { Alert, Anchor, Stack, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Ago, Countdown } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { useFormat } from "@/format/format";
import classes from "./proxies.module.css";
import { leftOut, type Source } from "./sources";

export function SourceDrawer({ of: source, onClose }: { of: Source | undefined; onClose: () => void }) {
  return (
    <DetailDrawer opened={source !== undefined} onClose={onClose} title={source?.name}>
      {source && <Detail of={source} />}
    </DetailDrawer>
  );
}

function Detail({ of: source }: { of: Source }) {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  return (
    <Stack gap="lg">
      {source.problem && (
        <Alert color="red" title={t("lists.reading.unreadable")}>
          <span lang="en">{source.problem}</span>
          <br />
          {t("lists.kept")}
        </Alert>
      )}
      <Facts
        facts={[
          [
            t("lists.found"),
            <Anchor
              key="found"
              component={Link}
              to={`/proxies?${new URLSearchParams({ source: source.name })}`}
              inherit
            >
              {format.number(source.proxies)}
            </Anchor>,
          ],
          [t("lists.kind"), t(`lists.kinds.${source.kind}`)],
          [t("lists.format"), source.format],
          [t("lists.readAt"), source.read_at ? <Ago key="read" time={source.read_at} /> : t("lists.reading.unread")],
          [t("lists.nextAt"), <Countdown key="next" to={source.next_at} />],
        ]}
      />
      <section>
        <Title order={3} mb="xs">
          {t("lists.leftOut")}
        </Title>
        <Facts
          facts={leftOut.map((why) => [
            t(`lists.why.${why.replaceAll("_", "-")}`),
            format.number(source.left_out[why]),
          ])}
        />
      </section>
      {source.malformed.length > 0 && <Malformed of={source} />}
    </Stack>
  );
}

function Malformed({ of: { malformed } }: { of: Source }) {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  return (
    <section>
      <Title order={3} mb="xs">
        {t("lists.firstMalformed")}
      </Title>
      <Table fz="sm" verticalSpacing={5}>
        <Table.Tbody>
          {malformed.map(({ at, text, why }) => (
            <Table.Tr key={at}>
              <Table.Th scope="row" fw={500} className={classes.place}>
                {format.number(at)}
              </Table.Th>
              <Table.Td>
                <code className={classes.name}>{text}</code>
                <Text size="xs" c="dimmed" lang="en">
                  {why}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
