// The variables of the Mantine theme as a style sheet. Mantine would write them into a <style> element when the page
// starts, which the page's Content-Security-Policy forbids.

import {
  convertCssVariables,
  DEFAULT_THEME,
  deepMerge,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from "@mantine/core";
import type { Plugin } from "vite";
import { theme, variables } from "../src/theme/theme.ts";

const name = "virtual:theme-variables.css";

export function themeVariables(): Plugin {
  return {
    name: "keymux:theme-variables",
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => (id === `\0${name}` ? styleSheet() : undefined),
  };
}

function styleSheet(): string {
  const merged = mergeMantineTheme(DEFAULT_THEME, theme);
  const all = deepMerge(defaultCssVariablesResolver(merged), variables(merged));
  all.dark["--mantine-color-scheme"] = "dark";
  all.light["--mantine-color-scheme"] = "light";
  return convertCssVariables(all);
}
