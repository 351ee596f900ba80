// Makes src/api/schema.d.ts out of the OpenAPI document on standard input; with --check it only says whether the file
// is up to date. scripts/schema calls it.

import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const file = fileURLToPath(new URL("src/api/schema.d.ts", import.meta.url));
const head = "// Generated from the OpenAPI document by scripts/schema; not to be edited.\n\n";

// A type with a default beside it is written `allOf: [type, { default }]`, whose second part says "object".
function withoutSplitDefaults(name, value) {
  if (name === "allOf" || !Array.isArray(value?.allOf)) return value;
  const isDefault = (part) => "default" in part && !("enum" in part || "properties" in part);
  const types = value.allOf.filter((part) => !isDefault(part));
  if (types.length !== 1 || types.length === value.allOf.length) return value;
  const { allOf: _, ...rest } = value;
  return { ...rest, ...types[0] };
}

const document = JSON.parse(await text(process.stdin), withoutSplitDefaults);
const made = head + astToString(await openapiTS(document, { defaultNonNullable: false }));

if (!process.argv.includes("--check")) {
  writeFileSync(file, made);
} else if (readFileSync(file, "utf8") !== made) {
  console.error("web/src/api/schema.d.ts does not fit the admin API any more; run scripts/schema");
  process.exit(1);
}
