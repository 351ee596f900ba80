// Where a question is written, and pictures are put into it.

import { ActionIcon, Button, FileButton, Group, Text, Textarea, Tooltip } from "@mantine/core";
import { IconArrowUp, IconPhotoPlus, IconPlayerStopFilled } from "@tabler/icons-react";
import { type DragEvent, type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Picture } from "./chat";
import { Pictures } from "./Pictures";
import { isPicture, kinds, readPicture } from "./pictures";
import classes from "./playground.module.css";

type ComposerProps = {
  isRunning: boolean;
  isReady: boolean;
  draft: string;
  onDraft: (text: string) => void;
  onSend: (text: string, pictures: Picture[]) => void;
  onStop: () => void;
};

/** Enter sends, with shift it begins a line; while an input method is at work it chooses a character. */
export function isSending(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
}

export function Composer({ isRunning, isReady, draft, onDraft, onSend, onStop }: ComposerProps) {
  const { t } = useTranslation("playground");
  const [pictures, setPictures] = useState<Picture[]>([]);
  const [isRefused, setIsRefused] = useState(false);
  const [isOver, setIsOver] = useState(false);
  const canSend = isReady && !isRunning && (draft.trim() !== "" || pictures.length > 0);

  const send = () => {
    if (!canSend) return;
    onSend(draft.trim(), pictures);
    onDraft("");
    setPictures([]);
  };
  const take = async (files: File[]) => {
    setIsRefused(files.some((file) => !isPicture(file)));
    const read = await Promise.all(files.filter(isPicture).map(readPicture));
    setPictures((before) => [...before, ...read]);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    void take([...event.dataTransfer.files]);
  };
  return (
    <form
      className={classes.composer}
      data-over={isOver || undefined}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <Pictures
        pictures={pictures}
        alt={t("ownPicture")}
        isSmall
        onRemove={(index) => setPictures((before) => before.filter((_, at) => at !== index))}
      />
      {isRefused && (
        <Text size="sm" c="var(--km-bad)" role="alert">
          {t("notAPicture")}
        </Text>
      )}
      <Textarea
        aria-label={t("ask")}
        placeholder={t("askHint")}
        variant="unstyled"
        autosize
        minRows={2}
        maxRows={10}
        value={draft}
        onChange={(event) => onDraft(event.currentTarget.value)}
        onPaste={(event) => {
          const files = [...event.clipboardData.files];
          if (files.length === 0) return;
          event.preventDefault();
          void take(files);
        }}
        onKeyDown={(event) => {
          if (!isSending(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Group gap="xs" wrap="nowrap">
          <FileButton multiple accept={kinds.join(",")} onChange={(files) => void take(files)}>
            {(props) => (
              <Tooltip label={t("addPicture")}>
                <ActionIcon {...props} variant="subtle" color="gray" size="lg" aria-label={t("addPicture")}>
                  <IconPhotoPlus size={19} />
                </ActionIcon>
              </Tooltip>
            )}
          </FileButton>
          <Text size="xs" c="dimmed" className={classes.hint}>
            {t("sendHint")}
          </Text>
        </Group>
        {isRunning ? (
          <Button variant="default" leftSection={<IconPlayerStopFilled size={14} />} onClick={onStop}>
            {t("stop")}
          </Button>
        ) : (
          <Button type="submit" leftSection={<IconArrowUp size={16} />} disabled={!canSend}>
            {t("send")}
          </Button>
        )}
      </Group>
    </form>
  );
}
