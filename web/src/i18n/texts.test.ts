// Texts of all languages have the same keys, use the same places to fill in, and every text that the code asks for is there.

import { describe, expect, it } from "vitest";
import { languages } from "./languages";

type Texts = { [key: string]: string | Texts };

const files = import.meta.glob<Texts>(["./*.json", "../pages/*/i18n/*.json"], { eager: true, import: "default" });
const sources = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*"], {
  eager: true,
  query: "?raw",
  import: "default",
});

/** Texts by namespace and language. */
const texts = new Map<string, Map<string, Texts>>();
for (const [path, content] of Object.entries(files)) {
  const namespace = path.match(/pages\/([^/]+)\//)?.[1] ?? "common";
  const language = path.match(/([^/]+)\.json$/)?.[1] ?? "";
  texts.set(namespace, (texts.get(namespace) ?? new Map()).set(language, content));
}

function flat(of: Texts, before = ""): Map<string, string> {
  const pairs = Object.entries(of).flatMap(([key, value]) =>
    typeof value === "string" ? [[before + key, value] as const] : [...flat(value, `${before}${key}.`)],
  );
  return new Map(pairs);
}

const plural = /_(zero|one|two|few|many|other)$/;
const places = (text: string) => [...new Set(text.match(/\{\{\w+\}\}|<\/?\w+>/g))].sort();

describe.each([...texts])("texts of %s", (namespace, byLanguage) => {
  const english = flat(byLanguage.get("en") ?? {});
  const names = new Set([...english.keys()].map((key) => key.replace(plural, "")));

  it("are there in every language", () => {
    expect([...byLanguage.keys()].sort()).toEqual(languages.map(({ code }) => code).sort());
  });

  it.each(languages.map(({ code }) => code))("have the same keys in %s, in each of its plurals", (language) => {
    const own = flat(byLanguage.get(language) ?? {});
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const counted = new Set(
      [...english.keys()].filter((key) => plural.test(key)).map((key) => key.replace(plural, "")),
    );
    const expected = [...names].flatMap((name) =>
      counted.has(name) ? forms.map((form) => `${name}_${form}`) : [name],
    );
    expect([...own.keys()].sort()).toEqual(expected.sort());
  });

  it.each(languages.map(({ code }) => code))("have the same places to fill in in %s", (language) => {
    for (const [key, text] of flat(byLanguage.get(language) ?? {})) {
      const like = english.get(key) ?? english.get(key.replace(plural, "_other")) ?? "";
      expect(places(text), `${language} ${key}`).toEqual(places(like));
      expect(text.trim(), `${language} ${key}`).not.toBe("");
    }
  });

  it("are all used, and none is missing", () => {
    const used = new Set<string>();
    for (const { key, isBeginning } of asked(namespace)) {
      const found = [...names].filter((name) => (isBeginning ? name.startsWith(key) : name === key));
      expect(found, `a text ${key} of ${namespace}`).not.toHaveLength(0);
      for (const name of found) used.add(name);
    }
    expect([...names].filter((name) => !used.has(name))).toEqual([]);
  });
});

/** The keys of a namespace that the code asks for: `t("a.b")`, and what begins so: `` t(`a.${b}`) ``. */
function asked(namespace: string): { key: string; isBeginning: boolean }[] {
  const found: { key: string; isBeginning: boolean }[] = [];
  for (const [path, source] of Object.entries(sources)) {
    const own = path.match(/pages\/([^/]+)\//)?.[1] ?? "common";
    const calls = source.matchAll(
      /(?:\bt\(\s*|i18nKey=\{?|exists\()(?:"([^"]+)"|`([^`]+)`|(\w+\.?\w* \? )"([^"]+)" : "([^"]+)")/g,
    );
    for (const [, plain, template, , yes, no] of calls) {
      for (const text of [plain, template, yes, no]) {
        if (!text) continue;
        const [of, key] = text.includes(":") ? (text.split(":", 2) as [string, string]) : [own, text];
        if (of !== namespace) continue;
        const isBeginning = key.includes("${");
        found.push({ key: isBeginning ? key.slice(0, key.indexOf("${")) : key, isBeginning });
      }
    }
  }
  return found;
}
