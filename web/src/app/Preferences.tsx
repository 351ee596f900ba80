// Colours and language: chosen here, remembered by this browser.

import { SegmentedControl, Select, Stack, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { changeLanguage, type Language, languages } from "@/i18n";
import classes from "./Preferences.module.css";

const schemes = [
  { value: "light", icon: IconSun },
  { value: "dark", icon: IconMoon },
  { value: "auto", icon: IconDeviceDesktop },
] as const;

export function Preferences() {
  const { t, i18n } = useTranslation();
  // Without transitions Mantine would write a <style> element, which the page's policy forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Stack gap="xs">
      <SegmentedControl
        aria-label={t("scheme.label")}
        fullWidth
        size="xs"
        value={colorScheme}
        onChange={(scheme) => setColorScheme(scheme as (typeof schemes)[number]["value"])}
        data={schemes.map(({ value, icon: Icon }) => ({
          value,
          label: (
            <span className={classes.scheme}>
              <Icon size={14} aria-hidden /> {t(`scheme.${value}`)}
            </span>
          ),
        }))}
      />
      <Select
        aria-label={t("language")}
        size="xs"
        leftSection={<IconLanguage size={15} />}
        data={languages.map(({ code, name }) => ({ value: code, label: name }))}
        value={i18n.language}
        allowDeselect={false}
        onChange={(code) => code && void changeLanguage(code as Language)}
        comboboxProps={{ withinPortal: false }}
      />
    </Stack>
  );
}
