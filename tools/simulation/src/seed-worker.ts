import { parentPort } from 'node:worker_threads';
import { must } from '@perennial/kernel';
import { runSeeds } from './run-seeds.js';
import type { SeedTask } from './seed-pool.js';

/* A thread of a seed pool: simulates the ranges of seeds that it is given, one after another. */

// Worlds make thousands of errors, of which only the messages are looked at. A world that is run again has the traces.
Error.stackTraceLimit = 0;

const port = must(parentPort ?? undefined, 'a thread to report to');
port.on('message', (task: SeedTask) => {
  // A rejection ends the thread, and the pool hears of it.
  void runSeeds(task).then((result) => port.postMessage(result));
});
