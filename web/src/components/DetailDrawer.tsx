// One thing beside its list. Escape closes what is on top only: a question that is asked within, and then the drawer. While
// it slides out it shows what it did, though nothing is open any more.

import { Drawer, type DrawerProps } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

type DetailDrawerProps = Pick<DrawerProps, "opened" | "onClose" | "title" | "size" | "children">;

export function DetailDrawer({ opened, onClose, size = "lg", title, children }: DetailDrawerProps) {
  const { t } = useTranslation();
  const last = useRef({ title, children });
  useEffect(() => {
    if (opened) last.current = { title, children };
  });
  const close = () => {
    if (!document.querySelector(".mantine-Modal-content")) onClose();
  };
  return (
    <Drawer
      opened={opened}
      onClose={close}
      size={size}
      title={opened ? title : last.current.title}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      {opened ? children : last.current.children}
    </Drawer>
  );
}
