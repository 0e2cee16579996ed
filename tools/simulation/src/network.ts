import { AppError } from '@perennial/kernel';
import type { Draw } from './draw.js';
import type { Scheduler } from './scheduler.js';
import type { SimulatedProcess } from './simulated-process.js';

export type Service = 'store' | 'broker' | 'producer' | 'blobs';

/** The fate of a call: `late` and `twice` are those of a client that timed out, or sent again after a reconnect. */
type Fate = 'answered' | 'lost' | 'unanswered' | 'late' | 'twice' | 'cut';

const FATES: Record<Service, readonly Fate[]> = {
  store: ['lost', 'unanswered', 'late', 'late', 'twice'],
  broker: ['lost'],
  producer: ['lost', 'unanswered', 'late', 'cut'],
  blobs: ['lost', 'unanswered', 'unanswered', 'late', 'twice'],
};

/** Of calls during a network fault. */
const TROUBLE_CHANCE = 0.5;
const DELAY_MS = { usual: { from: 1, to: 5 }, slow: { from: 20, to: 250 }, straggler: { from: 50, to: 400 } };
const STRAGGLER_CHANCE = 0.02;
/** Of calls that a process was sending when it was killed. */
const CUT_CHANCE = 0.3;
/** A call that timed out may still be executed up to this much later. */
const LATE_MS = { from: 100, to: 2500 };

interface Call<T> {
  readonly service: Service;
  /** For the trace. */
  readonly what: string;
  /** The server's part of the call; for a send that is `cut`, only part of it is done. */
  readonly execute: (how: { cut: boolean }) => Promise<T> | T;
}

/** Carries calls and replies with delays; during faults it loses or repeats them. */
export class Network {
  readonly conditions = { slow: false, trouble: new Set<Service>() };
  readonly #scheduler: Scheduler;
  readonly #draw: Draw;
  readonly #onTrace: ((line: string) => void) | undefined;
  /** Calls that leave a paused process only when it is resumed. */
  readonly #held = new Map<SimulatedProcess, Array<() => void>>();

  constructor(scheduler: Scheduler, draw: Draw, onTrace?: (line: string) => void) {
    this.#scheduler = scheduler;
    this.#draw = draw;
    this.#onTrace = onTrace;
  }

  delayMs(): number {
    if (this.#draw.chance(STRAGGLER_CHANCE)) return this.#draw.whole(DELAY_MS.straggler);
    return this.#draw.whole(this.conditions.slow ? DELAY_MS.slow : DELAY_MS.usual);
  }

  /** Rejects with a retriable AppError when the call fails; an error of the server is passed on unchanged. */
  call<T>(process: SimulatedProcess, { service, what, execute }: Call<T>): Promise<T> {
    if (process.gone) return new Promise(() => {});
    const draw = this.#draw;
    const fate =
      this.conditions.trouble.has(service) && draw.chance(TROUBLE_CHANCE) ? draw.pick(FATES[service]) : 'answered';
    // When the process is killed or paused meanwhile, the call may have left it or not.
    const hasLeft = draw.chance(0.5);
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void) => {
        this.#scheduler.schedule(this.delayMs(), () => process.enter(settle));
      };
      const fail = () =>
        answer(() => reject(new AppError('dependency_unavailable', `${service}: no answer`, { retriable: true })));
      const arrive = () => {
        if (process.gone && !hasLeft && !draw.chance(CUT_CHANCE)) return;
        if (process.paused && !hasLeft) {
          this.#hold(process, arrive);
          return;
        }
        this.#onTrace?.(`${this.#scheduler.nowMs} ${process.name} ${what} ${fate}`);
        const cut = service === 'producer' && (fate === 'cut' || (process.gone && !hasLeft));
        const executed = Promise.resolve().then(() => execute({ cut }));
        if (fate === 'answered' || fate === 'twice') {
          executed.then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        } else {
          executed.catch(() => undefined);
          if (fate !== 'late') fail();
        }
      };
      if (fate === 'lost' || fate === 'late') fail();
      if (fate !== 'lost') this.#scheduler.schedule(fate === 'late' ? draw.whole(LATE_MS) : this.delayMs(), arrive);
      if (fate === 'twice') this.#scheduler.schedule(draw.whole(LATE_MS), arrive);
    });
  }

  /** A one-way message: it arrives after a delay, if the receiver still exists. */
  notify(process: SimulatedProcess, run: () => void): void {
    this.#scheduler.schedule(this.delayMs(), () => process.enter(run));
  }

  resumed(process: SimulatedProcess): void {
    const held = this.#held.get(process) ?? [];
    this.#held.delete(process);
    for (const arrive of held) this.#scheduler.schedule(this.delayMs(), arrive);
  }

  #hold(process: SimulatedProcess, arrive: () => void): void {
    this.#held.set(process, [...(this.#held.get(process) ?? []), arrive]);
  }
}
