/*
 * A thread of the graph's process: ends the process when its parent is gone, also while a graph runs.
 */
import { workerData } from 'node:worker_threads';

const INTERVAL_MS = 1_000;

const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
