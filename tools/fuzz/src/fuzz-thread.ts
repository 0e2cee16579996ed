import { Worker } from 'node:worker_threads';
import { toMessage } from '@perennial/kernel';
import type { CaseRange, RangeResult } from './run-cases.js';

/** The built file, also when running from the sources: a thread loads it by itself. */
const WORKER = new URL('../dist/fuzz-worker.js', import.meta.url);
/** A case that takes longer, at most twice this, stands still: the slowest that ends takes a hundredth of it. */
const CASE_MS_MAX = 20_000;
/** Memory of one thread: a case that needs more has found an input that memory is not bounded for. */
const HEAP_MB_MAX = 1024;

/** A thread that runs cases, and is replaced when a case ends it or never ends. Only one call at a time. */
export class FuzzThread {
  readonly #file: URL;
  readonly #caseMsMax: number;
  /** Index of the case that the thread is at: memory that both share, since a message of a thread that ends can be lost. */
  readonly #at = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;

  constructor({ file = WORKER, caseMsMax = CASE_MS_MAX } = {}) {
    this.#file = file;
    this.#caseMsMax = caseMsMax;
  }

  /** The results of a range. When a case never ends or ends the thread, it has failed, and the rest of the range is not run. */
  async run(range: CaseRange): Promise<RangeResult> {
    this.#worker ??= new Worker(this.#file, {
      workerData: this.#at,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    Atomics.store(this.#at, 0, 0);
    const ended = await this.#ask(this.#worker, range);
    if (typeof ended !== 'string') return ended;
    const index = Atomics.load(this.#at, 0);
    await this.close();
    return {
      cases: index + 1,
      counts: {},
      failures: [{ target: range.target, seed: range.first + index, problem: ended }],
    };
  }

  #ask(worker: Worker, range: CaseRange): Promise<RangeResult | string> {
    return new Promise((resolve) => {
      const end = (ended: RangeResult | string) => {
        clearInterval(watch);
        worker.off('message', end).off('error', onError).off('exit', onExit);
        resolve(ended);
      };
      const onError = (error: unknown) => end(`ended the thread: ${toMessage(error)}`);
      const onExit = (code: number) => end(`ended the thread with code ${code}`);
      let last = -1;
      const watch = setInterval(() => {
        const at = Atomics.load(this.#at, 0);
        if (at === last) end(`did not end within ${this.#caseMsMax} ms`);
        last = at;
      }, this.#caseMsMax);
      worker.on('message', end).on('error', onError).on('exit', onExit);
      worker.postMessage(range);
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    // An error of a thread that is being ended has no one left to hear it.
    worker?.on('error', () => undefined);
    await worker?.terminate();
  }
}
