// Builds web/dist, which cargo embeds into keymux: the dashboard (by Vite, vite.config.ts), the pages /docs and /redoc, and
// what they all load. Every file but the pages has a hash of its content in its name, and is stored only compressed, as
// .br and as .gz. It is read again in crates/server/src/http/assets.rs. `make web` runs this when something has changed.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";
import { docsPages } from "./build/docs.mjs";
import { licencesOf } from "./build/licences.mjs";
import { checkBudget } from "./build/sizes.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "dist");

function compressed(content) {
  const bytes = Buffer.from(content);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return { size: bytes.length, br: brotliCompressSync(bytes, { params }), gz: gzipSync(bytes, { level: 9 }) };
}

// All is made before anything is written, and the pages are written last: what scripts/web finds whole is whole.
const { output } = await build({ root: here, logLevel: "warn", build: { write: false } });
const dashboard = new Map(output.map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source]));
const docs = docsPages(here, licencesOf(here, output));
const all = [...docs.assets, ...dashboard, ...docs.pages];
const isPage = ([name]) => name.endsWith(".html");
const files = [...all.filter((file) => !isPage(file)), ...all.filter(isPage)].map(([name, content]) => [
  name,
  compressed(content),
]);

mkdirSync(join(dist, "assets"), { recursive: true });
for (const name of readdirSync(dist, { recursive: true })) {
  if (/\.(br|gz)$/.test(name)) rmSync(join(dist, name));
}
for (const [name, { br, gz }] of files) {
  writeFileSync(join(dist, `${name}.br`), br);
  writeFileSync(join(dist, `${name}.gz`), gz);
}
checkBudget(output, new Map(files));
