// One line of the activity log: who, when, what exactly, what was before, and what else was done to the same thing.

import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useList } from "@/api/list";
import { Ago } from "@/components/Countdown";
import { DetailDrawer } from "@/components/DetailDrawer";
import { Facts } from "@/components/Facts";
import { History } from "@/components/History";
import { useFormat } from "@/format/format";
import { ActionBadge } from "./ActionBadge";
import { placeOf } from "./activity";
import classes from "./activity.module.css";
import { type Change, changesOf, type Line, sentenceOf, valuesOf } from "./changes";

export function LineDrawer({ of: line, onClose }: { of: Line | undefined; onClose: () => void }) {
  const { t } = useTranslation("activity");
  return (
    <DetailDrawer opened={line !== undefined} onClose={onClose} title={line ? t("line", { number: line.id }) : ""}>
      {line && <Detail key={line.id} of={line} />}
    </DetailDrawer>
  );
}

function Detail({ of: line }: { of: Line }) {
  const { t } = useTranslation("activity");
  const format = useFormat();
  const place = placeOf(line);
  const which = line.resource_id ?? "–";
  return (
    <Stack gap="lg">
      <div>
        <ActionBadge action={line.action} />
        <Text className={classes.sentence}>{sentenceOf(line)}</Text>
      </div>
      <Facts
        facts={[
          [t("who"), line.actor],
          [t("when"), format.dateTime(line.at)],
          [t("ago"), <Ago key="ago" time={line.at} />],
          [t("what"), t(`resources.${line.resource}`, { defaultValue: line.resource })],
          [
            t("which"),
            place ? (
              <Anchor key="which" component={Link} to={place} inherit>
                {which}
              </Anchor>
            ) : (
              which
            ),
          ],
          [t("provider"), line.provider ?? "–"],
        ]}
      />
      {valuesOf(line) && <Changes of={line} />}
      {line.resource_id && (
        <section aria-label={t("same")}>
          <Title order={3}>{t("same")}</Title>
          <History of={{ resource: line.resource, resource_id: line.resource_id }} />
        </section>
      )}
    </Stack>
  );
}

/** So many lines back a value is looked for. */
const lookBack = 100;

function Changes({ of: line }: { of: Line }) {
  const { t } = useTranslation("activity");
  const { rows, isPending } = useList("/api/activity_logs", {
    resource: line.resource,
    resource_id: line.resource_id ?? "",
    ...(line.provider ? { provider: line.provider } : {}),
    limit: lookBack,
  });
  if (isPending) return null;
  const older = rows.filter(({ id }) => id < line.id);
  return (
    <Table fz="sm" verticalSpacing={6} aria-label={t("changes.title")}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t("changes.value")}</Table.Th>
          <Table.Th scope="col">{t("changes.before")}</Table.Th>
          <Table.Th scope="col">{t("changes.after")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {changesOf(line, older).map((change) => (
          <Row key={change.name} of={change} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ of: { name, before, after } }: { of: Change }) {
  const { t } = useTranslation("activity");
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500}>
        {name}
      </Table.Th>
      <Table.Td className={classes.before}>{before ?? t("changes.unknown")}</Table.Td>
      <Table.Td className={classes.after}>{after ?? t("changes.default")}</Table.Td>
    </Table.Tr>
  );
}
