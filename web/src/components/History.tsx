// What was done to something, and by whom: its lines of the activity log.

import { Button, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type ListQuery, useList } from "@/api/list";
import { Ago } from "./Countdown";
import classes from "./Feed.module.css";
import { ErrorState, LoadingRows } from "./states";

/** `of` says which lines, for example `{ resource: "keys", resource_id: "17" }`. */
export function History({ of }: { of: ListQuery<"/api/activity_logs"> }) {
  const { t } = useTranslation();
  const list = useList("/api/activity_logs", { ...of, limit: 20 });
  if (list.error) return <ErrorState error={list.error} onRetry={list.refresh} />;
  if (list.isPending) return <LoadingRows count={4} height={26} />;
  if (list.rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("history.none")}
      </Text>
    );
  return (
    <>
      <ul className={classes.feed}>
        {list.rows.map((line) => (
          <li key={line.id}>
            <span>
              <strong>{t(`actions.${line.action}`, { defaultValue: line.action })}</strong> · {line.actor}
            </span>
            <Ago time={line.at} />
            {line.details && <span className={classes.detail}>{line.details}</span>}
          </li>
        ))}
      </ul>
      {list.hasMore && (
        <Button variant="subtle" size="compact-sm" onClick={list.loadMore} loading={list.isLoadingMore}>
          {t("table.more")}
        </Button>
      )}
    </>
  );
}
