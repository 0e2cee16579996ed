import { Mutex } from '@perennial/kernel';
import type { RowWidths } from './graph.js';
import { isLost, type Run, scoreIsolated } from './isolate.js';
import { type Course, Lanes } from './lanes.js';
import { SLOW_RUN_CPU_MS } from './limits.js';
import { NO_FAILURES, type RunResult, type ScoredRows } from './results.js';

interface Waiting {
  readonly rows: Float32Array;
  readonly lane: string;
  readonly resolve: (scored: ScoredRows) => void;
  readonly reject: (error: unknown) => void;
}

/** Two places to run rows at the same time: what happens in one does not hold up the other. */
export interface Runs {
  /** For the requests of all lanes at once. */
  readonly together: Run;
  /** For one request at a time: those of a batch that failed, and of lanes whose rows cost processes or much time. */
  readonly apart: Run;
}

/** Scores the rows of one lane (a partition): callers of one lane wait for its result before the next request. */
export type ScoreLane = (rows: Float32Array, lane: string) => Promise<ScoredRows>;

/**
 * Runs all waiting requests as one batch when the model is free: the partitions of a process request a few rows each at
 * the same moment, and a run costs about as much for 16 rows as for one. Correct because a row's bits do not depend on
 * its neighbours. When the batch fails, each request is scored by itself, row by row where that is needed, apart and in
 * turn by runs, so that no lane waits for all the tries of another; a lane whose rows cost a process or much time
 * stays apart for a while. So a lane without trouble waits for `heldMsMax` at most.
 */
export function createMicroBatcher(runs: Runs, widths: RowWidths): ScoreLane {
  const lanes = new Lanes();
  const inTurn = new Mutex();
  let waiting: Waiting[] = [];
  let running = false;

  async function drain(): Promise<void> {
    // Callers resumed by the same I/O event get into the same run.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await scoreTogether(batch);
    }
    running = false;
  }

  async function scoreTogether(batch: readonly Waiting[]): Promise<void> {
    try {
      const [alone, ...others] = batch;
      const found = await runs.together(alone !== undefined && others.length === 0 ? alone.rows : concat(batch));
      if ('results' in found) {
        lanes.report(toLanes(batch), toCourse(found));
        share(batch, found.results, widths);
      } else if (alone !== undefined && others.length === 0) void isolate(alone, found);
      else for (const request of batch) void scoreApart(request);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  // First in first out: with one run wanted at a time by each request, the requests take turns.
  const runApart: Run = (rows) => inTurn.run(() => runs.apart(rows));

  async function scoreApart(request: Waiting): Promise<void> {
    try {
      const found = await runApart(request.rows);
      if ('failure' in found) return await isolate(request, found);
      lanes.report([request.lane], toCourse(found));
      request.resolve({ results: found.results, failures: NO_FAILURES });
    } catch (error) {
      request.reject(error);
    }
  }

  /** Scores a request that failed by itself. */
  async function isolate({ rows, lane, resolve, reject }: Waiting, found: RunResult): Promise<void> {
    lanes.report([lane], toCourse(found));
    try {
      resolve(await scoreIsolated(runApart, rows, widths));
    } catch (error) {
      reject(error);
    }
  }

  return (rows, lane) =>
    new Promise((resolve, reject) => {
      const request = { rows, lane, resolve, reject };
      if (lanes.isApart(lane)) {
        void scoreApart(request);
        return;
      }
      waiting.push(request);
      if (running) return;
      running = true;
      void drain();
    });
}

function share(batch: readonly Waiting[], results: Float32Array, { features, heads }: RowWidths): void {
  let at = 0;
  for (const { rows, resolve } of batch) {
    const end = at + (rows.length / features) * heads;
    resolve({ results: results.subarray(at, end), failures: NO_FAILURES });
    at = end;
  }
}

const toLanes = (batch: readonly Waiting[]): string[] => [...new Set(batch.map(({ lane }) => lane))];

/** A row that throws costs nothing but its score, so its lane is as quick as any. */
function toCourse(found: RunResult): Course {
  if ('failure' in found) return isLost(found.failure) ? 'lost' : 'quick';
  return (found.cpuMs ?? 0) > SLOW_RUN_CPU_MS ? 'slow' : 'quick';
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
