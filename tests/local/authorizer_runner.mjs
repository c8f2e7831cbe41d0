// Runs the authorizer function as Lambda would: one process that stays, an event a line in, an answer a line out.
// A line {"ahead": SECONDS} sets the clock ahead instead, so that caches grow old without waiting.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const now = Date.now;
let ahead = 0;
Date.now = () => now() + ahead * 1000;
const { handler } = await import(pathToFileURL(process.argv[2]));

for await (const line of createInterface({ input: process.stdin })) {
  const { id, event, ahead: seconds } = JSON.parse(line);
  if (seconds !== undefined) { ahead = seconds; process.stdout.write(`${JSON.stringify({ id })}\n`); continue; }
  handler(event)
    .then((policy) => ({ id, policy }), (error) => ({ id, thrown: error.message }))
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
}
