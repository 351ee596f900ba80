// For working on the dashboard: a gateway with keys in several states and some traffic, until it is interrupted.
//   npm run stand

import { clientKey, password, startGateway } from "./gateway.ts";
import { fill, lively, visit } from "./lively.ts";

const gateway = await startGateway(lively);
const filled = await fill(gateway);
console.log(`keymux: ${gateway.url}  admin / ${password}  client key ${clientKey}`);

let turn = 0;
const traffic = setInterval(() => {
  turn += 1;
  // A caller who is cut off at the end is no news.
  visit(filled, turn).catch(() => {});
}, 400);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    clearInterval(traffic);
    void gateway.stop().then(() => process.exit(0));
  });
}
