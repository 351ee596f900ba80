import { expect, it } from "vitest";
import { firstLanguage, fitting, keep } from "./languages";

it.each([
  [["vi-VN", "en"], "vi"],
  [["ru"], "ru"],
  [["zh-CN"], "zh-CN"],
  [["zh"], "zh-CN"],
  [["zh-Hans-SG"], "zh-CN"],
  [["zh-TW"], "zh-TW"],
  [["zh-HK"], "zh-TW"],
  [["zh-Hant-HK"], "zh-TW"],
  [["fr-FR", "ru-RU", "en"], "ru"],
  [["fr"], "en"],
  [[], "en"],
] as const)("a browser that wants %j gets %s", (wanted, language) => {
  expect(fitting(wanted)).toBe(language);
});

it("what was chosen goes before what the browser wants", () => {
  keep("ru");
  expect(firstLanguage()).toBe("ru");
});
