// Pictures of a question or an answer, each to be opened in full or saved.

import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Picture } from "./chat";
import classes from "./playground.module.css";

type PicturesProps = { pictures: Picture[]; alt: string; isSmall?: boolean; onRemove?: (index: number) => void };

export function Pictures({ pictures, alt, isSmall, onRemove }: PicturesProps) {
  const { t } = useTranslation("playground");
  if (pictures.length === 0) return null;
  return (
    <ul className={classes.pictures} data-small={isSmall || undefined}>
      {pictures.map(({ uri }, index) => (
        // The same picture may come twice.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <li key={index}>
          {isSmall ? (
            <img src={uri} alt={alt} />
          ) : (
            <a href={uri} download={`picture-${index + 1}`} title={t("savePicture")}>
              <img src={uri} alt={alt} />
            </a>
          )}
          {onRemove && (
            <ActionIcon
              className={classes.remove}
              size="xs"
              radius="xl"
              color="dark"
              aria-label={t("removePicture", { number: index + 1 })}
              onClick={() => onRemove(index)}
            >
              <IconX size={12} />
            </ActionIcon>
          )}
        </li>
      ))}
    </ul>
  );
}
