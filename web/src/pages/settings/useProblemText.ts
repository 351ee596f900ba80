// What is wrong with a value, in words.

import { useTranslation } from "react-i18next";
import type { Problem } from "./values";

export function useProblemText(): (problem: Problem) => string {
  const { t } = useTranslation("settings");
  return ({ name, low = "", high = "" }) => t(`problem.${name}`, { low, high });
}
