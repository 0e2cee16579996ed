import { parentPort } from 'node:worker_threads';
import { must } from '@perennial/kernel';
import { runSeeds } from './run-seeds.js';
import type { SeedTask } from './seed-pool.js';

/* A thread of a seed pool: simulates the assigned ranges of seeds, one after another. */

// Worlds create thousands of errors, of which only the messages are used. A repeated run of a world has the traces.
Error.stackTraceLimit = 0;

const port = must(parentPort ?? undefined, 'a thread to report to');
port.on('message', (task: SeedTask) => {
  // A rejection ends the thread, and the pool is notified.
  void runSeeds(task).then((result) => port.postMessage(result));
});
