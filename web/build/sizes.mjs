// How much a browser loads: everything for the first page, and for each other page what it adds. More than the budget is
// an error.

const kib = 1024;
/** For the first page, compressed: scripts, styles, texts of one language and the font's Latin part. */
const budget = 400 * kib;
const firstPage = "src/pages/overview/index.tsx";

export function checkBudget(output, files) {
  const chunks = new Map(output.filter((file) => file.type === "chunk").map((chunk) => [chunk.fileName, chunk]));
  const sizeOf = (name) => files.get(name)?.br.length ?? 0;
  const entry = [...chunks.values()].find((chunk) => chunk.isEntry);
  const page = (module) => [...chunks.values()].find((chunk) => chunk.facadeModuleId?.endsWith(module));
  const shell = closure([entry], chunks);
  const first = closure([entry, page(firstPage)], chunks);
  const texts = [...chunks.values()].filter((chunk) =>
    /\/(i18n\/en|overview\/i18n\/en)\.json$/.test(chunk.facadeModuleId ?? ""),
  );
  for (const chunk of texts) first.add(chunk.fileName);
  const font = [...files.keys()].find((name) => /inter-latin-wght-normal/.test(name));
  first.add("index.html");
  if (font) first.add(font);

  const sum = (names) => [...names].reduce((total, name) => total + sizeOf(name), 0);
  const rows = [...chunks.values()]
    .filter((chunk) => chunk.isDynamicEntry && /src\/pages\/[^/]+\/index\.tsx$/.test(chunk.facadeModuleId ?? ""))
    .map((chunk) => [chunk.facadeModuleId.split("/").at(-2), closure([chunk], chunks)])
    .map(([name, names]) => [name, sum([...names].filter((file) => !shell.has(file)))]);
  const line = (name, size) => console.log(`web: ${name.padEnd(28)} ${(size / kib).toFixed(1).padStart(7)} KiB`);
  line("shell", sum(shell));
  for (const [name, size] of rows.sort()) line(`page ${name}, beyond the shell`, size);
  line("first load, compressed", sum(first));
  line(
    "everything, embedded",
    [...files.values()].reduce((total, { br, gz }) => total + br.length + gz.length, 0),
  );
  if (sum(first) > budget) {
    console.error(
      `web: the first load is larger than ${budget / kib} KiB; look at what src/main.tsx and ${firstPage} import`,
    );
    process.exit(1);
  }
}

/** What is loaded with some chunks: what they import, and the styles of all of it. */
function closure(roots, chunks) {
  const names = new Set();
  const add = (chunk) => {
    if (!chunk || names.has(chunk.fileName)) return;
    names.add(chunk.fileName);
    for (const css of chunk.viteMetadata?.importedCss ?? []) names.add(css);
    for (const name of chunk.imports) add(chunks.get(name));
  };
  roots.forEach(add);
  return names;
}
