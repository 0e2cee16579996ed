import { parentPort, workerData } from 'node:worker_threads';
import { must } from '@perennial/kernel';
import { type CaseRange, runCases } from './run-cases.js';
import type { FuzzTarget } from './target.js';
import { TARGETS } from './targets.js';

/* A thread of the fuzzer: runs the assigned cases, and shows which one it is at, so that one that never ends is known. */

const port = must(parentPort ?? undefined, 'a thread to report to');
const at = workerData as Int32Array;
const targets: Readonly<Record<string, FuzzTarget>> = TARGETS;
port.on('message', (range: CaseRange) => {
  const target = must(targets[range.target], 'a target of that name');
  void runCases(target, range, (index) => Atomics.store(at, 0, index)).then((result) => port.postMessage(result));
});
