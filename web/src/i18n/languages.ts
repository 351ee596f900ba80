// The languages, and which of them somebody gets who has not chosen one.

export const languages = [
  { code: "en", name: "English" },
  { code: "vi", name: "Tiếng Việt" },
  { code: "zh-CN", name: "简体中文" },
  { code: "zh-TW", name: "繁體中文" },
  { code: "ru", name: "Русский" },
] as const;

export type Language = (typeof languages)[number]["code"];

const kept = "keymux-language";
const traditional = /^zh-(tw|hk|mo|.*hant)/i;

/** The first of the browser's languages that there is; English when there is none. */
export function fitting(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (traditional.test(tag)) return "zh-TW";
    if (/^zh\b/i.test(tag)) return "zh-CN";
    const found = languages.find(({ code }) => tag.toLowerCase().split("-")[0] === code);
    if (found) return found.code;
  }
  return "en";
}

/** The language that was chosen here before, else the browser's. */
export function firstLanguage(): Language {
  const chosen = window.localStorage.getItem(kept);
  return languages.find(({ code }) => code === chosen)?.code ?? fitting(window.navigator.languages);
}

export function keep(language: Language) {
  window.localStorage.setItem(kept, language);
}
