// Builds web/dist, which cargo embeds into keymux: the pages /docs and /redoc and what they load.
// Every file but the pages has a hash of its content in its name, and is stored only compressed, as .br and as .gz.
// It is read again in crates/server/src/http/assets.rs. `make web` runs this when something has changed.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "dist");

const swaggerUi = "node_modules/swagger-ui-dist";
const redoc = "node_modules/redoc";

// Name in the pages → where it comes from.
const assets = {
  "icon.svg": read("docs/icon.svg"),
  "swagger-ui.css": withoutSourceMap(read(`${swaggerUi}/swagger-ui.css`)),
  "swagger-ui.js": read(`${swaggerUi}/swagger-ui-bundle.js`),
  "swagger.css": read("docs/swagger.css"),
  "swagger.js": read("docs/swagger.js"),
  "redoc.standalone.js": withoutLogo(withoutSourceMap(read(`${redoc}/bundles/redoc.standalone.js`))),
  "redoc.css": read("docs/redoc.css"),
  "redoc.js": read("docs/redoc.js"),
  "licences.txt": licences(),
};

const pages = {
  "docs.html": "docs/swagger.html",
  "redoc.html": "docs/redoc.html",
};

function read(path) {
  return readFileSync(join(here, path), "utf8");
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

// What the licences of both packages, and of what is bundled in them, ask to be passed on.
function licences() {
  const files = [
    `${swaggerUi}/NOTICE`,
    `${swaggerUi}/LICENSE`,
    `${swaggerUi}/swagger-ui-bundle.js.LICENSE.txt`,
    `${redoc}/LICENSE`,
    `${redoc}/bundles/redoc.standalone.js.LICENSE.txt`,
  ];
  return files.map((path) => `==== ${path.replace("node_modules/", "")}\n\n${read(path)}`).join("\n\n");
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

function compressed(text) {
  const bytes = Buffer.from(text);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return { br: brotliCompressSync(bytes, { params }), gz: gzipSync(bytes, { level: 9 }) };
}

// All is made before anything is written, and the pages are written last: what scripts/web finds whole is whole.
const names = new Map(Object.entries(assets).map(([name, text]) => [name, hashedName(name, text)]));
const files = [
  ...Object.entries(assets).map(([name, text]) => [names.get(name), text]),
  ...Object.entries(pages).map(([name, path]) => [name, withNames(read(path), names)]),
].map(([name, text]) => [name, Buffer.byteLength(text), compressed(text)]);

mkdirSync(join(dist, "assets"), { recursive: true });
for (const name of readdirSync(dist, { recursive: true })) {
  if (/\.(br|gz)$/.test(name)) rmSync(join(dist, name));
}
for (const [name, size, { br, gz }] of files) {
  writeFileSync(join(dist, `${name}.br`), br);
  writeFileSync(join(dist, `${name}.gz`), gz);
  console.log(`${name.padEnd(48)} ${size} bytes, gzip ${gz.length}, brotli ${br.length}`);
}
