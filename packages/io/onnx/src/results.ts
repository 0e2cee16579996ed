/**
 * Why a row has no numbers: the graph threw (`error`), gave another number of rows (`shape`), could not get its memory
 * (`memory`), used up its CPU time (`time`) or crashed (`crash`), each also when it ran this row alone; `untried` rows
 * were in a batch that lost too many processes.
 */
export type FailureReason = 'error' | 'shape' | 'memory' | 'time' | 'crash' | 'untried';

/** A failed run, or a row that fails. The message names no measured value: it is the same each time. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** One run of the graph: the numbers of its rows in the order of the heads, or why there are none. */
export type RunResult =
  | {
      readonly results: Float32Array;
      /** CPU time that was seen to be used, by a run in another process that took long; none is a quick one. */
      readonly cpuMs?: number | undefined;
    }
  | { readonly failure: Failure };

/** The numbers of each row (NaN for a failed one), and the rows that failed, by index. */
export interface ScoredRows {
  readonly results: Float32Array;
  readonly failures: ReadonlyMap<number, Failure>;
}

export const NO_FAILURES: ReadonlyMap<number, Failure> = new Map();

const MESSAGE_LENGTH_MAX = 300;

/** A message of the runtime, which may quote names from the file: one line, without control characters, cut. */
export function toCleanMessage(message: string): string {
  return message
    .replace(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_LENGTH_MAX);
}
