import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FailingSeed, SeedsOptions, SeedsResult } from './run-seeds.js';

/** Input of a thread. */
export type SeedTask = Pick<SeedsOptions, 'first' | 'count' | 'failuresMax' | 'mutant'>;

/** The built file, also when running from the sources: a thread loads it by itself. */
const WORKER = new URL('../dist/seed-worker.js', import.meta.url);
/** Small, so that the threads end together, and few worlds are simulated above a failing one. */
const SEEDS_PER_TASK = 4;
/** Almost all memory of a world is garbage at its end: with room for several worlds, collection costs a tenth less. */
const YOUNG_GENERATION_MB = 192;

/**
 * Threads, one for each core, that simulate the worlds of consecutive seeds; the result is the same as of `runSeeds`.
 */
export class SeedPool {
  readonly #workers: readonly Worker[];

  constructor() {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
    this.#workers = Array.from({ length: availableParallelism() }, () => new Worker(WORKER, { resourceLimits }));
  }

  /** Only one call at a time. */
  async run(options: SeedsOptions): Promise<SeedsResult> {
    const { first, count, failuresMax = 1, mutant, shouldStop = () => false, onSeed } = options;
    const failures: FailingSeed[] = [];
    let given = 0;
    let done = 0;
    const work = async (worker: Worker) => {
      while (given < count && failures.length < failuresMax && !shouldStop()) {
        const task = { first: first + given, count: Math.min(SEEDS_PER_TASK, count - given), failuresMax };
        given += task.count;
        const result = await ask(worker, { ...task, ...(mutant && { mutant }) });
        failures.push(...result.failures);
        done += result.seeds;
        onSeed?.({ seeds: done, failures: failures.length });
      }
    };
    await Promise.all(this.#workers.map(work));
    // Tasks are assigned in order, so every seed below the last of these was simulated.
    failures.sort((a, b) => a.seed - b.seed);
    const kept = failures.slice(0, failuresMax);
    const last = kept.length === failuresMax ? kept.at(-1) : undefined;
    return { seeds: last === undefined ? done : last.seed - first + 1, failures: kept };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, task: SeedTask): Promise<SeedsResult> {
  return new Promise((resolve, reject) => {
    const onMessage = (result: SeedsResult) => {
      worker.off('error', onError);
      resolve(result);
    };
    const onError = (error: unknown) => {
      worker.off('message', onMessage);
      reject(error);
    };
    worker.once('message', onMessage);
    worker.once('error', onError);
    worker.postMessage(task);
  });
}
