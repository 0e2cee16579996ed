import { ROW_MULTIPLE } from './batch-shapes.js';
import type { RowWidths } from './graph.js';
import { LOST_PROCESSES_MAX } from './limits.js';
import type { Failure, RunResult, ScoredRows } from './results.js';

/** A row is blamed for the loss of processes only after two, the second with this row alone. */
const STRIKES = 2;

export type Run = (rows: Float32Array) => Promise<RunResult>;

/**
 * Scores rows of a batch that failed: in groups of the smallest shape, then those of a failing group one by one. A row's
 * result is what it is alone, so it does not depend on the batch; except that after `LOST_PROCESSES_MAX` lost processes
 * the rest is not tried, so that a model that hangs on every row does not stop its partition for ever.
 */
export async function scoreIsolated(run: Run, rows: Float32Array, widths: RowWidths): Promise<ScoredRows> {
  const { features, heads } = widths;
  const count = rows.length / features;
  const results = new Float32Array(count * heads).fill(Number.NaN);
  const failures = new Map<number, Failure>();
  const tryRows = createTries(run);
  for (let start = 0; start < count; start += ROW_MULTIPLE) {
    const end = Math.min(count, start + ROW_MULTIPLE);
    const group = await tryRows(rows.subarray(start * features, end * features), 1);
    if ('results' in group) {
      results.set(group.results, start * heads);
      continue;
    }
    for (let row = start; row < end; row++) {
      const alone = await tryRows(
        rows.subarray(row * features, (row + 1) * features),
        isLost(group.failure) ? 1 : STRIKES,
      );
      if ('results' in alone) results.set(alone.results, row * heads);
      else failures.set(row, alone.failure);
    }
  }
  return { results, failures };
}

/** Runs rows, again while a process is lost and fewer than `losses` were; counts the losses of all calls. */
function createTries(run: Run) {
  let lost = 0;
  return async (rows: Float32Array, losses: number): Promise<RunResult> => {
    for (let left = losses; ; ) {
      if (lost >= LOST_PROCESSES_MAX) return UNTRIED;
      const found = await run(rows);
      if ('results' in found || !isLost(found.failure)) return found;
      lost++;
      left--;
      if (left === 0) return found;
    }
  };
}

const UNTRIED: RunResult = {
  failure: { reason: 'untried', message: `not tried: its batch lost ${LOST_PROCESSES_MAX} processes to other rows` },
};

/** Whether the process that ran the rows is gone. */
export function isLost({ reason }: Failure): boolean {
  return reason === 'time' || reason === 'crash';
}
