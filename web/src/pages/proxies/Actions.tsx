// What can be done about a proxy: to check it now, and to use one again that failed.

import { Alert, Button, Group, Stack } from "@mantine/core";
import { IconActivityHeartbeat, IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { useErrorText } from "@/components/useErrorText";
import { useNotify } from "@/components/useNotify";
import { useFormat } from "@/format/format";
import { useDeed, type Way } from "./proxies";
import { useWhy } from "./useWhy";

/** How the check that was asked for went, or why there was none. */
type Outcome = { way: Way } | { error: unknown };

export function Actions({ of: way, id }: { of: Way; id: number }) {
  const { t } = useTranslation("proxies");
  const notify = useNotify();
  const act = useDeed();
  const [busy, setBusy] = useState<"check" | "reset" | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const check = async () => {
    setBusy("check");
    setOutcome(
      await act("check", id).then(
        (way) => ({ way }),
        (error: unknown) => ({ error }),
      ),
    );
    setBusy(null);
  };
  const reset = async () => {
    setBusy("reset");
    setOutcome(null);
    await act("reset", id).then(() => notify.done(t("usedAgain", { name: way.name })), notify.failed);
    setBusy(null);
  };
  const button = { size: "xs", variant: "default", disabled: busy !== null } as const;
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Button
          {...button}
          leftSection={<IconActivityHeartbeat size={15} />}
          loading={busy === "check"}
          onClick={() => void check()}
        >
          {t("check")}
        </Button>
        {way.status === "failed" && (
          <Button
            {...button}
            leftSection={<IconPlayerPlay size={15} />}
            loading={busy === "reset"}
            onClick={() => void reset()}
          >
            {t("useAgain")}
          </Button>
        )}
      </Group>
      <div role="status">{outcome && <Result of={outcome} />}</div>
    </Stack>
  );
}

function Result({ of: outcome }: { of: Outcome }) {
  const { t } = useTranslation("proxies");
  const format = useFormat();
  const why = useWhy();
  const errorText = useErrorText();
  if ("error" in outcome) {
    const { error } = outcome;
    const isNothing = error instanceof ApiError && error.code === "nothing_to_ask";
    const { title, advice } = isNothing
      ? { title: t("nothingToAsk"), advice: t("nothingToAskText") }
      : errorText(error);
    return (
      <Alert color={isNothing ? "yellow" : "red"} title={title}>
        {advice}
      </Alert>
    );
  }
  const { check_reason, latency_ms } = outcome.way;
  if (check_reason) {
    return (
      <Alert color="red" title={t("checkFailed")}>
        {why(check_reason)}
      </Alert>
    );
  }
  return (
    <Alert color="teal" title={t("checkPassed")}>
      {t("checkPassedText", { latency: format.latency(latency_ms ?? 0) })}
    </Alert>
  );
}
