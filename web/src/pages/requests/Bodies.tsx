// What was sent and answered, where the settings say that it is kept.

import { Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/client";
import { CodeSnippet } from "@/components/CodeSnippet";
import { useFormat } from "@/format/format";
import { useIsAdmin } from "@/session/session";
import type { Detail } from "./requests";

type Body = Schema<"BodyView">;

export function Bodies({ of: request }: { of: Detail }) {
  const { t } = useTranslation("requests");
  const isAdmin = useIsAdmin();
  const { request_body: asked, response_body: answered } = request;
  if (!asked && !answered)
    return (
      <Text size="xs" c="dimmed">
        {t("body.none")} {isAdmin && t("body.howToKeep")}
      </Text>
    );
  return (
    <>
      {asked && <OneBody title={t("body.request")} body={asked} />}
      {answered && <OneBody title={t("body.response")} body={answered} />}
    </>
  );
}

function OneBody({ title, body }: { title: string; body: Body }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  return (
    <section aria-label={title}>
      <Title order={3} mb="xs">
        {title}
      </Title>
      <CodeSnippet label={title} snippets={[{ name: title, code: readable(body.text) }]} />
      {body.truncated && (
        <Text size="xs" c="dimmed" mt={4}>
          {t("body.truncated", { size: format.compact(body.original_bytes) })}
        </Text>
      )}
    </section>
  );
}

/** JSON with line breaks; anything else as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
