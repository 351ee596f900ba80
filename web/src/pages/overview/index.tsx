// The overview: is it healthy, how much capacity is left today and until when, who uses it, what fails and why.

import { Group } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { isUnreachable } from "@/api/error";
import { useStatus } from "@/api/figures";
import { useUrlState } from "@/app/urlState";
import { PageHeader } from "@/components/Panel";
import { ErrorState, LoadingPage } from "@/components/states";
import { TimeRangePicker, usualRanges } from "@/components/TimeRangePicker";
import { Capacity } from "./Capacity";
import { Charts } from "./Charts";
import { FirstSteps } from "./FirstSteps";
import { Health } from "./Health";
import { KeyStates } from "./KeyStates";
import { NowFigures } from "./NowFigures";
import classes from "./overview.module.css";
import { TopLists } from "./TopLists";
import { useNow } from "./useNow";

export default function OverviewPage() {
  const { t } = useTranslation("overview");
  const [url, setUrl] = useUrlState(["range"]);
  const range = usualRanges.find((usual) => usual === url.range) ?? "24h";
  const status = useStatus();
  const now = useNow(status.data);
  if (status.error && !status.data) return <ErrorState error={status.error} onRetry={() => void status.refetch()} />;
  if (!status.data) return <LoadingPage />;
  const isSilent = isUnreachable(status.error ?? status.failureReason);
  const isNew = now.keys.total === 0 && status.data.requests.last_24h === 0;
  const picker = (
    <TimeRangePicker value={{ range }} onChange={(next) => setUrl({ range: "range" in next ? next.range : null })} />
  );
  return (
    <>
      <PageHeader title={t("title")} actions={isNew ? null : <Group>{picker}</Group>} />
      <Health status={status.data} now={now} silentSince={isSilent ? status.dataUpdatedAt : undefined} />
      {isNew ? (
        <FirstSteps />
      ) : (
        <>
          <NowFigures status={status.data} now={now} />
          <Charts range={range} />
          <div className={classes.halves}>
            <KeyStates keys={now.keys} providers={status.data.providers} />
            <Capacity />
          </div>
          <TopLists range={range} />
        </>
      )}
    </>
  );
}
