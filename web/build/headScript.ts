// A small script that runs before the page is painted. Modules run later, and scripts within the page are forbidden by
// its Content-Security-Policy, so it is a file of its own, named in the head.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

export function headScript(path: string): Plugin {
  let root = "";
  let isBuild = false;
  let file = "";
  return {
    name: "keymux:head-script",
    configResolved(config) {
      root = config.root;
      isBuild = config.command === "build";
    },
    buildStart() {
      if (!isBuild) return;
      const source = readFileSync(join(root, path), "utf8");
      file = this.emitFile({ type: "asset", name: path.split("/").at(-1) ?? path, source });
    },
    generateBundle() {
      file = isBuild ? this.getFileName(file) : file;
    },
    transformIndexHtml: {
      order: "post",
      handler: () => [{ tag: "script", attrs: { src: isBuild ? `./${file}` : `/${path}` }, injectTo: "head-prepend" }],
    },
  };
}
