import { toPartition } from '@perennial/contracts';
import { createStoredStates, LEDGER_KEY, toParts } from '@perennial/identity';
import { AppError, type Clock, every, type Interval, systemClock } from '@perennial/kernel';
import { toPartitionKeys } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import type { IdPair } from './circles.js';
import type { Fleet } from './fleet.js';
import { toPresentState } from './releases.js';

/** One unmerge is under way at a time, and takes an archive window and the look of a job, each some seconds; a command starts a process. */
const INTERVAL_MS = 10_000;
/** One whose record was lost on the way is sent again after a minute. */
const DONE_WITHIN_MS = 240_000;
const POLL_MS = 500;

/**
 * Parts people again while faults last, by the command of the platform, as somebody would who learned of a mistake. A pair that
 * is not joined yet, or a store that cannot be reached, ends the command: another pair is asked for.
 */
export class Partings {
  readonly #fleet: Pick<Fleet, 'runCommand'>;
  readonly #drawPair: () => IdPair | undefined;
  readonly #asked = new Set<string>();
  #interval: Interval | undefined;

  constructor(options: { readonly fleet: Pick<Fleet, 'runCommand'>; readonly drawPair: () => IdPair | undefined }) {
    this.#fleet = options.fleet;
    this.#drawPair = options.drawPair;
  }

  start(): void {
    // What the command said is no matter: the log says what was asked, and what came of it.
    this.#interval = every({ intervalMs: INTERVAL_MS, clock: systemClock, onError: () => undefined }, () => this.ask());
  }

  /** Waits for the command in flight. */
  async stop(): Promise<void> {
    await this.#interval?.stop();
  }

  /** Throws as the command does. */
  async ask(): Promise<void> {
    const pair = this.#drawPair();
    if (pair === undefined || this.#asked.has(pair.join(' '))) return;
    await this.#fleet.runCommand('feature-store', ['identities', 'unmerge', ...pair, '--by', 'chaos']);
    this.#asked.add(pair.join(' '));
  }
}

/** Waits until no unmerge is under way or waits for its turn. Throws `timeout`. */
export async function waitUntilParted(
  redis: Pick<Redis, 'hgetBuffer'>,
  { namespace, partitions, clock = systemClock }: { namespace: string; partitions: number; clock?: Clock },
): Promise<void> {
  const { states } = toPartitionKeys(namespace, 'feature-store', toPartition(LEDGER_KEY, partitions));
  const untilMs = clock.steadyMs() + DONE_WITHIN_MS;
  for (;;) {
    const open = readOpen(await redis.hgetBuffer(states, LEDGER_KEY));
    if (open.length === 0) return;
    if (clock.steadyMs() > untilMs) throw new AppError('timeout', `unmerges that do not end: ${open.join(', ')}`);
    await clock.wait(POLL_MS);
  }
}

/** The ledger has no profile. */
const LEDGERS = createStoredStates<object>({ encode: throwProfile, decode: throwProfile });

function throwProfile(): never {
  throw new AppError('contract_violation', 'a profile under the key of the ledger');
}

function readOpen(bytes: Buffer | null): string[] {
  if (bytes === null) return [];
  const { node } = toParts(LEDGERS.decode(toPresentState(bytes)));
  if (node.kind !== 'ledger') return [];
  const open = node.entries.filter(({ state }) => state === 'waiting' || state === 'running');
  return open.map(({ number, state, attempt }) => `${number} (${state}, attempt ${attempt})`);
}
