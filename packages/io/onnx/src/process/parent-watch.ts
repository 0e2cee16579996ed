/*
 * A thread of the graph's process: ends the process when its parent is gone, also while a graph runs.
 */
import { workerData } from 'node:worker_threads';

/** Of the machine's timer: the thread has nothing else to do, loads nothing, and runs until its process ends. */
const INTERVAL_MS = 1_000;

const { parent } = workerData as { readonly parent: number };
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
