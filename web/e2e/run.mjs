// Runs a script of this folder with whatever Node there is: `node e2e/run.mjs stand`.
import { runnerImport } from "vite";

await runnerImport(`./e2e/${process.argv[2]}.ts`);
