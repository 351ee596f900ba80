// What the licences of everything that is shipped ask to be passed on, as one text.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ofDocs = [
  "swagger-ui-dist/NOTICE",
  "swagger-ui-dist/LICENSE",
  "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
  "redoc/LICENSE",
  "redoc/bundles/redoc.standalone.js.LICENSE.txt",
];
/** Packages of which only styles and fonts are taken: no module of the output names them. */
const ofStyles = ["@fontsource-variable/inter", "@mantine/core"];

/** The licences of the docs pages, and of every package that the dashboard's output holds a module of. */
export function licencesOf(root, output) {
  const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const packages = new Set([...ofStyles, ...modules.flatMap((id) => packageOf(id) ?? [])]);
  const files = [...packages].sort().map((name) => licenceFile(root, name));
  const folder = join(root, "node_modules");
  return [...ofDocs, ...files]
    .map((path) => `==== ${path}\n\n${readFileSync(join(folder, path), "utf8")}`)
    .join("\n\n");
}

function packageOf(id) {
  const path = id.split("node_modules/").at(-1);
  return path === id ? undefined : path.match(/^(@[^/]+\/)?[^/]+/)?.[0];
}

// A package of a family that shares one licence may not ship it; then its own description says which it is.
function licenceFile(root, name) {
  const folder = join(root, "node_modules", name);
  if (!existsSync(folder)) throw new Error(`${name} is in the output and not in node_modules`);
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  return join(name, file ?? "package.json");
}
