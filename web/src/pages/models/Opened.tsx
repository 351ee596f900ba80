// What is opened of the grid: a cell, a key or a model, with its state in words, and the button that releases it.

import { Anchor, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Countdown, PacificReset } from "@/components/Countdown";
import { StatusBadge, ToneBadge } from "@/components/StatusBadge";
import { useReason } from "@/components/useReason";
import { useFormat } from "@/format/format";
import { nextPacificMidnight } from "@/format/pacific";
import { looks } from "./CellMark";
import { cellOf, isOfModel, type Model, nameOf, type Standing } from "./models";
import classes from "./models.module.css";
import { useRelease } from "./useRelease";

type OpenedProps = { provider: string; keyRow: Standing | undefined; model: Model | undefined; onClose: () => void };

export function Opened({ provider, keyRow, model, onClose }: OpenedProps) {
  if (keyRow && model) return <OpenedCell provider={provider} keyRow={keyRow} model={model.model} onClose={onClose} />;
  if (keyRow) return <OpenedKey keyRow={keyRow} onClose={onClose} />;
  if (model) return <OpenedModel provider={provider} model={model} onClose={onClose} />;
  return null;
}

type CellProps = { provider: string; keyRow: Standing; model: string; onClose: () => void };

function OpenedCell({ provider, keyRow: key, model, onClose }: CellProps) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const reason = useReason();
  const release = useRelease();
  const { state, until, reason: why, requestsToday } = cellOf(key, model);
  const isPair = isOfModel(state);
  const releaseIt = () => (isPair ? release.ofModel(provider, model, key.id) : release.ofKey(key.id, nameOf(key)));
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={`${nameOf(key)} · ${model}`}
      confirmLabel={t("release")}
      onConfirm={releaseIt}
    >
      <Facts
        of={[
          [
            t("stateName"),
            <ToneBadge key="state" tone={looks[state].tone}>
              {t(`state.${state}`)}
            </ToneBadge>,
          ],
          [t("why"), why && reason(why)],
          [t("resetsIn"), until && <Until key="until" time={until} />],
          [t("today"), format.number(requestsToday)],
        ]}
      />
      <Text size="sm">{t(isPair ? "releaseCell" : "releaseKey")}</Text>
      <Links keyId={key.id} model={model} />
    </ConfirmDialog>
  );
}

function OpenedKey({ keyRow: key, onClose }: { keyRow: Standing; onClose: () => void }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const reason = useReason();
  const release = useRelease();
  const cooling = key.models.filter(({ cooling_until }) => cooling_until).length;
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={nameOf(key)}
      confirmLabel={t("releaseAll")}
      onConfirm={() => release.ofKey(key.id, nameOf(key))}
    >
      <Facts
        of={[
          [t("stateName"), <StatusBadge key="state" status={key.status} />],
          [t("why"), key.reason && reason(key.reason)],
          [t("resetsIn"), key.cooling_until && <Until key="until" time={key.cooling_until} />],
          [t("coolingFor"), format.number(cooling)],
        ]}
      />
      <Text size="sm">{t("releaseRow")}</Text>
      <Links keyId={key.id} />
    </ConfirmDialog>
  );
}

type ModelProps = { provider: string; model: Model; onClose: () => void };

function OpenedModel({ provider, model, onClose }: ModelProps) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const release = useRelease();
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={model.model}
      confirmLabel={t("releaseAll")}
      onConfirm={() => release.ofModel(provider, model.model)}
    >
      <Facts
        of={[
          [t("usable"), format.number(model.usable_keys)],
          [t("cooling"), format.number(model.cooling)],
          [t("nextReset"), model.next_reset_at && <Until key="until" time={model.next_reset_at} />],
          [t("today"), format.number(model.requests_today)],
        ]}
      />
      <Text size="sm">{t("releaseColumn")}</Text>
      <Links model={model.model} />
    </ConfirmDialog>
  );
}

/** How near to Los Angeles' midnight a quota of the day comes back. */
const aboutMidnight = 600_000;

/** How long it takes, and that it is midnight in Los Angeles where it is. */
function Until({ time }: { time: string }) {
  const { t } = useTranslation("models");
  const isDaily = Math.abs(nextPacificMidnight(Date.now()) - new Date(time).getTime()) < aboutMidnight;
  return (
    <>
      <Countdown to={time} />
      {isDaily && (
        <Text span size="xs" c="dimmed" display="block">
          {t("pacific")} <PacificReset />
        </Text>
      )}
    </>
  );
}

function Facts({ of: facts }: { of: [string, ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Links({ keyId, model }: { keyId?: number; model?: string }) {
  const { t } = useTranslation("models");
  const search = new URLSearchParams({ ...(keyId && { key: String(keyId) }), ...(model && { model }) });
  return (
    <Group gap="md">
      {keyId && (
        <Anchor component={Link} to={`/keys?key=${keyId}`} size="sm">
          {t("toKey")}
        </Anchor>
      )}
      <Anchor component={Link} to={`/requests?${search}`} size="sm">
        {t("toRequests")}
      </Anchor>
    </Group>
  );
}
