// How far back something is looked at: one of the usual times, or from one instant to another.

import { Button, Group, Popover, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCalendar } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/format";
import { fromLocalInput, toLocalInput } from "@/format/localInput";

export const usualRanges = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;

/** As the API takes it. */
export type TimeRange = { range: string } | { from: string; to: string };

type TimeRangePickerProps = {
  value: TimeRange;
  onChange: (range: TimeRange) => void;
  /** Whether other times than the usual ones can be chosen. */
  isFree?: boolean;
};

export function TimeRangePicker({ value, onChange, isFree }: TimeRangePickerProps) {
  const { t } = useTranslation();
  return (
    <Group gap="xs" wrap="nowrap">
      <SegmentedControl
        aria-label={t("range.label")}
        data={usualRanges.map((range) => ({ value: range, label: t(`range.${range}`) }))}
        value={"range" in value ? value.range : ""}
        onChange={(range) => onChange({ range })}
        size="xs"
        withItemsBorders={false}
      />
      {isFree && <FreeRange value={value} onChange={onChange} />}
    </Group>
  );
}

function FreeRange({ value, onChange }: TimeRangePickerProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const [opened, { toggle, close }] = useDisclosure(false);
  const chosen = "from" in value ? value : null;
  const [from, setFrom] = useState(chosen ? toLocalInput(chosen.from) : "");
  const [to, setTo] = useState(chosen ? toLocalInput(chosen.to) : "");
  const isRight = from !== "" && to !== "" && new Date(from) < new Date(to);
  const choose = (event: FormEvent) => {
    event.preventDefault();
    onChange({ from: fromLocalInput(from), to: fromLocalInput(to) });
    close();
  };
  return (
    <Popover opened={opened} onChange={(open) => !open && close()} trapFocus>
      <Popover.Target>
        <Button
          variant={chosen ? "light" : "default"}
          size="xs"
          leftSection={<IconCalendar size={15} />}
          onClick={toggle}
          aria-haspopup="dialog"
        >
          {chosen ? `${format.dayAndTime(chosen.from)} – ${format.dayAndTime(chosen.to)}` : t("range.free")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={choose}>
          <Stack gap="xs">
            <TextInput
              type="datetime-local"
              label={t("range.from")}
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
            <TextInput
              type="datetime-local"
              label={t("range.to")}
              value={to}
              onChange={(event) => setTo(event.currentTarget.value)}
              error={from && to && !isRight ? t("range.wrong") : undefined}
            />
            <Button type="submit" disabled={!isRight}>
              {t("range.show")}
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
