// Why there is no answer, and what can be done about it.

import { Alert, Anchor, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Failure } from "./chat";

export function FailureView({ failure, requestId }: { failure: Failure; requestId?: string }) {
  const { t } = useTranslation("playground");
  const { status, message, retryAfter } = failure;
  const kind = kindOf(status);
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle size={18} />}
      title={status ? t("failure.title", { status, what: t(`failure.${kind}`) }) : t(`failure.${kind}`)}
    >
      <Text size="sm">{message}</Text>
      <Text size="sm" c="dimmed" mt={4}>
        {t(`advice.${kind}`)} {retryAfter !== undefined && t("advice.after", { count: Math.ceil(retryAfter) })}
      </Text>
      {requestId && (
        <Anchor component={Link} to={`/requests?request=${requestId}`} size="sm">
          {t("attempts")}
        </Anchor>
      )}
    </Alert>
  );
}

/** What a status means to a caller. */
function kindOf(status: number) {
  switch (status) {
    case 0:
      return "unreachable";
    case 401:
      return "key";
    case 403:
      return "forbidden";
    case 404:
      return "model";
    case 413:
      return "large";
    case 429:
      return "limit";
    case 503:
      return "exhausted";
    default:
      return status < 500 ? "request" : "provider";
  }
}
