// One request: what was asked and answered, every attempt with its reasons, its bodies where they are kept.

import { Group, Stack, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { home } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import { CopyButton } from "@/components/CopyButton";
import { DetailDrawer } from "@/components/DetailDrawer";
import { KeyLink } from "@/components/KeyLink";
import { ErrorState, LoadingRows } from "@/components/states";
import { useFormat } from "@/format/format";
import { Attempts } from "./Attempts";
import { Bodies } from "./Bodies";
import { curlOf } from "./curl";
import { Outcome, toneOf } from "./Outcome";
import { type Detail, useRequest } from "./requests";
import classes from "./requests.module.css";
import { Timeline } from "./Timeline";
import { useVerdict } from "./useVerdict";

export function RequestDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useTranslation("requests");
  const { data: request, error, refetch } = useRequest(id);
  return (
    <DetailDrawer
      opened={id !== null}
      onClose={onClose}
      title={request ? (request.model ?? request.endpoint) : t("request")}
    >
      {error && !request ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : request ? (
        <Content of={request} />
      ) : (
        <LoadingRows />
      )}
    </DetailDrawer>
  );
}

function Content({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const verdict = useVerdict();
  return (
    <Stack gap="lg">
      <Stack gap="sm">
        <Group justify="space-between">
          <Outcome of={request} />
          <span className={classes.id}>
            <code>{request.id}</code>
            <CopyButton text={request.id} label={t("copyId")} size="xs" />
          </span>
        </Group>
        <div className={classes.verdict} data-tone={toneOf(request)}>
          {verdict(request)}
        </div>
        <Facts of={request} />
      </Stack>
      <section aria-label={t("timeline.title")}>
        <Title order={3} mb="xs">
          {t("timeline.title")}
        </Title>
        {request.attempt_list.length > 0 && <Timeline of={request} />}
        <Attempts of={request} />
      </section>
      <Bodies of={request} />
      <Again of={request} />
    </Stack>
  );
}

function Again({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const code = curlOf(request, home);
  if (!code) return null;
  return (
    <section>
      <Title order={3} mb="xs">
        {t("curl")}
      </Title>
      <CodeSnippet label={t("curl")} snippets={[{ name: "curl", code }]} />
    </section>
  );
}

function Facts({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const { tokens } = request;
  const facts: [string, React.ReactNode][] = [
    [t("time"), format.dateTime(request.time)],
    [t("client"), request.client ?? (request.client_id ? `#${request.client_id}` : t("anonymous"))],
    [t("provider"), request.provider ?? "–"],
    [t("endpoint"), `${request.dialect} · ${request.endpoint}${request.stream ? ` · ${t("stream")}` : ""}`],
    [t("key"), request.key_id ? <KeyLink key="key" id={request.key_id} name={request.key} /> : "–"],
    [t("latency"), format.latency(request.latency_ms)],
    [t("firstByte"), request.first_byte_ms ? format.latency(request.first_byte_ms) : "–"],
    [t("cost"), request.cost_usd ? format.usd(request.cost_usd) : "–"],
  ];
  if (tokens) {
    const parts = { prompt: tokens.prompt, output: tokens.output, reasoning: tokens.reasoning, cached: tokens.cached };
    for (const [name, count] of Object.entries(parts))
      if (count > 0) facts.push([t(`tokensOf.${name}`), format.number(count)]);
  }
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
