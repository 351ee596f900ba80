// Keys by state, of all providers and of each.

import { Anchor, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { ShareBar } from "@/components/charts/ShareBar";
import { Panel } from "@/components/Panel";
import { useFormat } from "@/format/format";

const states = ["active", "cooling", "invalid", "disabled"] as const;
const colors = {
  active: "var(--km-chart-2)",
  cooling: "var(--km-chart-3)",
  invalid: "var(--km-chart-bad)",
  disabled: "var(--km-line-strong)",
};

type KeyStatesProps = { keys: Schema<"KeyCounts">; providers: { [name: string]: Schema<"KeyCounts"> } };

export function KeyStates({ keys, providers }: KeyStatesProps) {
  const { t } = useTranslation(["overview", "common"]);
  const format = useFormat();
  const used = Object.entries(providers).filter(([, counts]) => counts.total > 0);
  const shares = states.map((state) => ({
    name: state,
    value: keys[state],
    color: colors[state],
    label: (
      <Anchor component={Link} to={`/keys?status=${state}`} inherit c="inherit">
        {t(`common:keyStatus.${state}`)}
      </Anchor>
    ),
  }));
  return (
    <Panel title={t("keys.title")} aside={t("keys.total", { count: keys.total, number: format.number(keys.total) })}>
      <ShareBar shares={shares} />
      {used.length > 1 && (
        <Table mt="md" fz="sm" horizontalSpacing={6} verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t("keys.provider")}</Table.Th>
              {states.map((state) => (
                <Table.Th key={state} scope="col" ta="end" fw={500}>
                  {t(`common:keyStatus.${state}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {used.map(([name, counts]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={500}>
                  <Anchor component={Link} to={`/keys?provider=${encodeURIComponent(name)}`} inherit>
                    {name}
                  </Anchor>
                </Table.Th>
                {states.map((state) => (
                  <Table.Td key={state} ta="end">
                    {counts[state] > 0 ? format.number(counts[state]) : "–"}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}
