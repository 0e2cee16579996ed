import { parentPort } from 'node:worker_threads';
import { must } from '@perennial/kernel';
import { BREAKAGES } from './breakages.js';
import { runSeeds } from './run-seeds.js';
import type { SeedTask } from './seed-pool.js';

/* A thread of a seed pool: simulates the ranges of seeds that it is given, one after another. */

// Worlds make thousands of errors, of which only the messages are looked at. A replay has the traces.
Error.stackTraceLimit = 0;

const port = must(parentPort ?? undefined, 'a thread to report to');
port.on('message', ({ breakage: name, ...range }: SeedTask) => {
  const breakage = BREAKAGES.find((known) => known.name === name);
  if (name !== undefined) must(breakage, `the breakage ${name}`);
  // A rejection ends the thread, and the pool hears of it.
  void runSeeds({ ...range, ...(breakage && { breakage }) }).then((result) => port.postMessage(result));
});
