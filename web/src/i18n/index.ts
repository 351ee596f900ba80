// Texts. The shell's and the components' are beside this file; a page has its own in its folder (pages/<page>/i18n),
// under the page's name. Each is loaded when it is needed, in one language.

import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";
import { firstLanguage, keep, type Language, languages } from "./languages";

type Texts = Record<string, unknown>;

const shared = import.meta.glob<Texts>("./*.json", { import: "default" });
const ofPages = import.meta.glob<Texts>("../pages/*/i18n/*.json", { import: "default" });

const files: BackendModule = {
  type: "backend",
  init() {},
  read(language, namespace, done) {
    const load =
      namespace === "common" ? shared[`./${language}.json`] : ofPages[`../pages/${namespace}/i18n/${language}.json`];
    if (!load) return done(new Error(`no texts of ${namespace} in ${language}`), false);
    load().then(
      (texts) => done(null, texts),
      (error: Error) => done(error, false),
    );
  },
};

export async function startTexts(language: Language = firstLanguage()) {
  await i18next
    .use(files)
    .use(initReactI18next)
    .init({
      lng: language,
      fallbackLng: false,
      supportedLngs: languages.map(({ code }) => code),
      load: "currentOnly",
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escapeValue: false },
      returnNull: false,
    });
  mark(language);
}

/** Shows everything in another language, from now on and next time. */
export async function changeLanguage(language: Language) {
  keep(language);
  await i18next.changeLanguage(language);
  mark(language);
}

/** The texts of a page, so that it is shown when both it and they are there. */
export function loadTexts(page: string) {
  return i18next.loadNamespaces(page);
}

/** Screen readers, hyphenation and the choice of Chinese glyphs go by the page's language. */
function mark(language: Language) {
  document.documentElement.lang = language;
}

export { type Language, languages };
