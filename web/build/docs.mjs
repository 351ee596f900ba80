// The pages /docs (Swagger UI) and /redoc (ReDoc), and what they load out of the packages.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

const swaggerUi = "node_modules/swagger-ui-dist";
const redoc = "node_modules/redoc";

/** The files of both pages: `{ assets, pages }`, each a list of names and texts. `licences` go into a file of its own. */
export function docsPages(root, licences) {
  const read = (path) => readFileSync(join(root, path), "utf8");
  // Name in the pages → text.
  const sources = {
    "icon.svg": read("docs/icon.svg"),
    "swagger-ui.css": withoutSourceMap(read(`${swaggerUi}/swagger-ui.css`)),
    "swagger-ui.js": read(`${swaggerUi}/swagger-ui-bundle.js`),
    "swagger.css": read("docs/swagger.css"),
    "swagger.js": read("docs/swagger.js"),
    "redoc.standalone.js": withoutLogo(withoutSourceMap(read(`${redoc}/bundles/redoc.standalone.js`))),
    "redoc.css": read("docs/redoc.css"),
    "redoc.js": read("docs/redoc.js"),
    "licences.txt": licences,
  };
  const names = new Map(Object.entries(sources).map(([name, text]) => [name, hashedName(name, text)]));
  return {
    assets: Object.entries(sources).map(([name, text]) => [names.get(name), text]),
    pages: [
      ["docs.html", withNames(read("docs/swagger.html"), names)],
      ["redoc.html", withNames(read("docs/redoc.html"), names)],
    ],
  };
}

// The maps are not shipped; the lines that name them would make a browser's tools ask for them.
function withoutSourceMap(text) {
  return text.replace(/^(?:\/\/|\/\*)# sourceMappingURL=.*$/gm, "");
}

// ReDoc shows its maker's logo from its maker's server. An empty picture in its place is taken away by ReDoc itself.
function withoutLogo(text) {
  const parts = text.split("https://cdn.redoc.ly/redoc/logo-mini.svg");
  if (parts.length !== 2) throw new Error(`redoc names its logo ${parts.length - 1} times, not once`);
  return parts.join("data:,");
}

function hashedName(name, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const extension = extname(name);
  return `assets/${name.slice(0, -extension.length)}.${hash}${extension}`;
}

function withNames(page, names) {
  return page.replace(/\{\{(.+?)\}\}/g, (_, name) => {
    if (!names.has(name)) throw new Error(`no asset is called ${name}`);
    return names.get(name);
  });
}
