import type { Clock } from '@perennial/kernel';
import type { Draw } from './draw.js';
import type { Scheduler } from './scheduler.js';

/** The virtual epoch; far from 0, so that nothing works by accident. */
const EPOCH_MS = 1_700_000_000_000;
const SKEW_MS_MAX = 86_400_000;
/** A machine's scheduler is never exact to the millisecond. */
const JITTER_MS_MAX = 2;

/**
 * One operating system process. Everything that reaches it (replies, timers, records) passes through `enter`: it is
 * dropped once the process is killed, and delayed while it is paused. So a kill can fall between any two awaits that
 * leave the process.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly draw: Draw;
  readonly clock: Clock;
  /** Disconnected from the group's coordinator, but not from log and store. */
  cutOff = false;
  #state: 'running' | 'paused' | 'gone' = 'running';
  #backlog: Array<() => void> = [];

  constructor(name: string, scheduler: Scheduler, draw: Draw) {
    this.name = name;
    this.draw = draw;
    const skewMs = draw.whole({ from: -SKEW_MS_MAX, to: SKEW_MS_MAX });
    this.clock = {
      now: () => EPOCH_MS + skewMs + scheduler.nowMs,
      steadyMs: () => scheduler.nowMs,
      wait: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const done = () => {
            cancel();
            signal?.removeEventListener('abort', done);
            resolve();
          };
          const lateMs = draw.whole({ from: 0, to: JITTER_MS_MAX });
          const cancel = scheduler.schedule(ms + lateMs, () => this.enter(done));
          signal?.addEventListener('abort', done, { once: true });
        }),
    };
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  get gone(): boolean {
    return this.#state === 'gone';
  }

  /** Runs a piece of this process's code: now, when it is resumed, or never. */
  enter(run: () => void): void {
    if (this.#state === 'running') run();
    else if (this.#state === 'paused') this.#backlog.push(run);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const run of backlog) run();
  }

  /** The code stops here: the awaited result never arrives. */
  kill(): void {
    this.#state = 'gone';
    this.#backlog = [];
  }
}
