import type { RowWidths } from './graph.js';
import { scoreIsolated } from './isolate.js';
import { NO_FAILURES, type RunResult, type ScoredRows } from './results.js';

interface Waiting {
  readonly rows: Float32Array;
  readonly resolve: (scored: ScoredRows) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs all waiting requests as one batch when the model is free: the partitions of a process request a few rows each at
 * the same moment, and a run costs about as much for 16 rows as for one. Correct because a row's bits do not depend on
 * its neighbours. When the batch fails, each request is scored by itself, row by row where that is needed. Bounded by the
 * callers: each waits for its result before its next request.
 */
export function createMicroBatcher(
  run: (rows: Float32Array) => Promise<RunResult>,
  widths: RowWidths,
): (rows: Float32Array) => Promise<ScoredRows> {
  const { features, heads } = widths;
  let waiting: Waiting[] = [];
  let running = false;

  async function drain(): Promise<void> {
    // Callers resumed by the same I/O event get into the same run.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const found = await run(batch.length === 1 && batch[0] !== undefined ? batch[0].rows : concat(batch));
        if ('results' in found) share(batch, found.results);
        else for (const request of batch) await isolate(request);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  function share(batch: readonly Waiting[], results: Float32Array): void {
    let at = 0;
    for (const { rows, resolve } of batch) {
      const end = at + (rows.length / features) * heads;
      resolve({ results: results.subarray(at, end), failures: NO_FAILURES });
      at = end;
    }
  }

  async function isolate({ rows, resolve }: Waiting): Promise<void> {
    resolve(await scoreIsolated(run, rows, widths));
  }

  return (rows) =>
    new Promise((resolve, reject) => {
      waiting.push({ rows, resolve, reject });
      if (running) return;
      running = true;
      void drain();
    });
}

function concat(batch: ReadonlyArray<{ readonly rows: Float32Array }>): Float32Array {
  const all = new Float32Array(batch.reduce((length, { rows }) => length + rows.length, 0));
  let at = 0;
  for (const { rows } of batch) {
    all.set(rows, at);
    at += rows.length;
  }
  return all;
}
