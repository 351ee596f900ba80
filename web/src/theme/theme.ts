// The look in numbers: colours, type, spacing, and how Mantine's components behave everywhere. What is not a component's
// is in tokens.css. build/themeVariables.ts makes a style sheet of it when the dashboard is built.

import {
  Alert,
  Badge,
  Button,
  type CSSVariablesResolver,
  createTheme,
  Drawer,
  type MantineColorsTuple,
  Menu,
  Modal,
  Popover,
  Select,
  Tooltip,
} from "@mantine/core";

const iris: MantineColorsTuple = [
  "#eef0ff",
  "#dfe3ff",
  "#bcc4fb",
  "#97a3f5",
  "#7886ef",
  "#6573e8",
  "#4f5bd5",
  "#424dbb",
  "#363f9c",
  "#29307c",
];

/** Dark surfaces: cool, and far enough apart to be told from each other. */
const dark: MantineColorsTuple = [
  "#d5d9e2",
  "#b3b9c6",
  "#949cac",
  "#6b7385",
  "#3d4453",
  "#2c323f",
  "#222732",
  "#191d26",
  "#12151c",
  "#0c0e13",
];

const gray: MantineColorsTuple = [
  "#f8f9fb",
  "#f1f3f6",
  "#e6e9ee",
  "#d7dce4",
  "#c0c7d2",
  "#9aa3b2",
  "#6f7988",
  "#535c6b",
  "#363d49",
  "#1f242d",
];

const dialogue = {
  styles: { title: { fontSize: "1.0625rem", fontWeight: 620, lineHeight: 1.35, overflowWrap: "anywhere" } },
} as const;

export const theme = createTheme({
  primaryColor: "iris",
  primaryShade: 6,
  autoContrast: true,
  luminanceThreshold: 0.34,
  colors: { iris, dark, gray },
  black: "#171b22",
  fontFamily:
    '"Inter Variable", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "PingFang TC", "Microsoft JhengHei", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.1875rem" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.4" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "18px" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    // In a light colour of its own the title could hardly be read.
    Alert: Alert.extend({ vars: () => ({ root: { "--alert-color": "var(--mantine-color-text)" } }) }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 550 } }),
    // The page behind is held still by global.css: Mantine would write a <style> element for it, which the page's policy forbids.
    Modal: Modal.extend({
      ...dialogue,
      defaultProps: { lockScroll: false, centered: true, radius: "lg", overlayProps: { opacity: 0.45 } },
    }),
    Drawer: Drawer.extend({
      ...dialogue,
      defaultProps: { lockScroll: false, position: "right", overlayProps: { opacity: 0.35 } },
    }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        withArrow: true,
        openDelay: 250,
        multiline: true,
        maw: 320,
        events: { hover: true, focus: true, touch: true },
      },
    }),
    Popover: Popover.extend({ defaultProps: { shadow: "md" } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", position: "bottom-end" } }),
    Select: Select.extend({ defaultProps: { comboboxProps: { shadow: "md" } } }),
  },
});

/** The colours of states, as in tokens.css. */
const soft = {
  "--mantine-color-red-light": "var(--km-bad-soft)",
  "--mantine-color-yellow-light": "var(--km-warn-soft)",
  "--mantine-color-teal-light": "var(--km-ok-soft)",
};

/** Text and lines that Mantine draws too faint to be read well, and surfaces that it makes louder than what stands on them. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...soft,
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": "#596272",
    "--mantine-color-placeholder": "#6f7988",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-anchor": "#424dbb",
    "--mantine-color-default-border": "#d7dce4",
  },
  dark: {
    ...soft,
    "--mantine-color-body": "#12151c",
    "--mantine-color-text": "#d5d9e2",
    "--mantine-color-dimmed": "#98a1b2",
    "--mantine-color-placeholder": "#858d9d",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-anchor": "#a9b3fa",
    "--mantine-color-default": "#191d26",
    "--mantine-color-default-hover": "#222732",
    "--mantine-color-default-border": "#333a48",
  },
});
