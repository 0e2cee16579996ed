import type { ArtifactStore } from '@perennial/artifacts';
import { type Rollout, toPartition, type Unmerge } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { AppError, type Clock, every, isAppError, must, systemClock, toMessage } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { JobLease } from '@perennial/processor-host';
import type { FeatureArtifacts } from '../artifacts.js';
import { isFilling } from '../fill/fills.js';
import { TEXT_CHARS_MAX } from '../identity/check-refs.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { encodeUnmerge, isNone, type PathKey } from '../identity/unmerge-document.js';
import type { Cut } from './cuts.js';
import type { Definition } from './key-recomputation.js';
import { type RecomputeOptions, recomputeUnmerge } from './recompute-unmerge.js';
import {
  findKnown,
  isAsked,
  type Known,
  type Running,
  toRunning,
  toUnmergeRecord,
  type UnmergeRecord,
} from './running-unmerge.js';
import { toClearing, toNextAttempt } from './stuck-unmerge.js';
import type { UnmergeTelemetry } from './unmerge-telemetry.js';

const RUNNER_LIMITS = {
  /** How often it looks whether there is something to part, or more in the archive. */
  intervalMs: 5_000,
  /** After this time a record that was sent, and had no effect, is sent again. */
  againMs: 60_000,
  /** An unmerge that has not begun at both its ends begins again after `againMs`, then after twice as long, up to this time. */
  beginAgainMsMax: 3_600_000,
} as const;

/** A lease is of half a minute. */
const LEASE_RENEWAL_MS = 5_000;

type InForce = ReadonlyMap<string, Rollout>;
type Filled = RecomputeOptions['filled'][number];

export interface UnmergeRunnerOptions {
  readonly namespace: string;
  readonly partitions: number;
  readonly artifacts: Pick<FeatureArtifacts, 'fills' | 'loadAll' | 'unmerges'>;
  readonly definition: Definition;
  readonly store: Pick<ArtifactStore, 'put'>;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  readonly lease: JobLease;
  readonly readStates: ReadStates<StoredProfile>;
  /** What is in force on each partition. Throws a retriable AppError while a partition cannot be read. */
  readonly readInForce: () => Promise<readonly InForce[]>;
  /** Resolves once all are acknowledged. */
  readonly send: (records: readonly UnmergeRecord[]) => Promise<void>;
  readonly telemetry: UnmergeTelemetry;
  readonly limits?: Partial<Record<keyof typeof RUNNER_LIMITS, number>>;
  /** Replaceable for tests. */
  readonly clock?: Clock;
  /** The same: lets other work of the process go on. */
  readonly pause?: () => Promise<void>;
}

/** Parts the profiles of unmerges beside the processor, until stopped. The next process goes on with the same one. */
export function startUnmergeRunner(options: UnmergeRunnerOptions): { stop(): Promise<void> } {
  const { clock = systemClock, telemetry, limits } = options;
  const { intervalMs } = { ...RUNNER_LIMITS, ...limits };
  const stopping = new AbortController();
  const runner = new UnmergeRunner(options, stopping.signal);
  const onError = (error: unknown) => {
    if (!stopping.signal.aborted) telemetry.failed(error);
  };
  const interval = every({ intervalMs, clock, onError }, () => runner.run());
  return {
    async stop() {
      stopping.abort(new AppError('dependency_unavailable', 'this process stops', { retriable: true }));
      await interval.stop();
    },
  };
}

export class UnmergeRunner {
  readonly #options: UnmergeRunnerOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #limits: Record<keyof typeof RUNNER_LIMITS, number>;
  #heldAtMs = Number.NEGATIVE_INFINITY;
  /** An unmerge that has not begun at both its ends, and since when. */
  #blocked: { readonly name: string; readonly sinceMs: number } | undefined;
  #sent: { readonly name: string; readonly atMs: number } | undefined;

  constructor(options: UnmergeRunnerOptions, signal?: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...RUNNER_LIMITS, ...options.limits };
  }

  async run(): Promise<void> {
    const { lease, telemetry } = this.#options;
    const known = await this.#find();
    if (known === undefined || !(await lease.hold())) return telemetry.idle();
    const { number, attempt, change } = known.entry;
    const name = `${number}/${attempt}`;
    telemetry.aged(Math.max(0, this.#clock.now() - change.atMs));
    const running = toRunning(known);
    if (running === undefined) return this.#unblock(known, name);
    this.#blocked = undefined;
    if (this.#sent?.name === name && this.#clock.steadyMs() - this.#sent.atMs < this.#limits.againMs) return;
    const step = isAsked(running) ? await this.#toStep(running) : { step: 'give_up', hash: '' };
    if (step === undefined) return;
    const self = must(running.path.at(-1), 'the profile that is left');
    await this.#options.send([toUnmergeRecord(running, { self, number, attempt, ...step }, this.#options)]);
    this.#sent = { name, atMs: this.#clock.steadyMs() };
    if (step.step === 'part') telemetry.rebuilt({ number, attempt });
    else telemetry.givenUp({ number, attempt, reason: step.reason });
  }

  /**
   * It has not begun at both its ends: that takes a moment, or longer where a partition lags, unless a record of it became a
   * dead letter. The ledger is asked to clear what is forged there; after a while it begins again.
   */
  async #unblock(known: Known, name: string): Promise<void> {
    const nowMs = this.#clock.steadyMs();
    const isNew = this.#blocked?.name !== name;
    if (isNew) this.#blocked = { name, sinceMs: nowMs };
    const waitedMs = nowMs - (this.#blocked?.sinceMs ?? nowMs);
    const steps = this.#toUnblocking(known, { isNew, waitedMs });
    if (steps.length === 0) return;
    await this.#options.send(steps.map((step) => toUnmergeRecord(known, step, this.#options)));
    this.#blocked = { name, sinceMs: nowMs };
    this.#options.telemetry.unblocked({ number: known.entry.number, steps: steps.map(({ step }) => step) });
  }

  #toUnblocking(known: Known, { isNew, waitedMs }: { readonly isNew: boolean; readonly waitedMs: number }) {
    const { againMs, beginAgainMsMax } = this.#limits;
    const clearing = toClearing(known);
    if (clearing.length > 0) return isNew || waitedMs >= againMs ? clearing : [];
    // Each attempt makes both ends drop what they hold: behind a partition that lags for long none would ever begin.
    const waitMs = Math.min(againMs * 2 ** (known.entry.attempt - 1), beginAgainMsMax);
    return waitedMs >= waitMs ? toNextAttempt(known) : [];
  }

  async #find(): Promise<Known | undefined> {
    try {
      return await findKnown(this.#options.readStates);
    } catch (error) {
      if (!isAppError(error, 'dependency_unavailable')) throw error;
      this.#options.telemetry.waiting(error);
      return undefined;
    }
  }

  /** The step that ends it; undefined while it must wait. What the archive lacks it will lack: others wait behind this one. */
  async #toStep(running: Running): Promise<Pick<Unmerge, 'step' | 'hash' | 'reason'> | undefined> {
    if (!(await this.#isArchived(running))) return undefined;
    const filled = await this.#findFills(await this.#options.readInForce());
    if (filled === undefined) return undefined;
    try {
      const hash = await this.#rebuild(running, filled);
      return hash === undefined ? undefined : { step: 'part', hash };
    } catch (error) {
      if (!isAppError(error, 'data_damaged') && !isNone(error)) throw error;
      return { step: 'give_up', hash: '', reason: toMessage(error).slice(0, TEXT_CHARS_MAX) };
    }
  }

  /** Whether the archive reaches the records with which it began at both ends: reading all of it before that is in vain. */
  async #isArchived({ path, began }: Running): Promise<boolean> {
    const { archive, partitions } = this.#options;
    const logs = await archive.list();
    const ends = [path[0], path.at(-1)].map((end) => toPartition(must(end, 'an end').key, partitions));
    return ends.every((partition, index) => (logs.get(partition)?.next ?? 0) > (began[index] ?? 0));
  }

  /** By partition the fill in force; undefined while one is under way: a spec that changes would interrupt the unmerge. */
  async #findFills(inForce: readonly InForce[]): Promise<readonly Filled[] | undefined> {
    const { fills, loadAll } = this.#options.artifacts;
    const found: Filled[] = [];
    await loadAll();
    for (const kinds of inForce) {
      const fill = await fills.get(kinds);
      if (isFilling(kinds, fill)) return undefined;
      const rollout = kinds.get('feature-fill');
      const features = fill && { kind: 'features', number: rollout?.number ?? 0, hash: fill.document.spec };
      found.push(rollout && features && { fill: rollout, features });
    }
    return found;
  }

  /** Keeps the lease while the archive is read; false once another process has it. */
  async #holdOn(): Promise<boolean> {
    const nowMs = this.#clock.steadyMs();
    if (nowMs - this.#heldAtMs < LEASE_RENEWAL_MS) return true;
    this.#heldAtMs = nowMs;
    return this.#options.lease.hold();
  }

  /** Hash of the document; undefined while the archive does not reach the unmerge, or once another process has it. */
  async #rebuild(running: Running, filled: readonly Filled[]) {
    const { definition, archive, partitions, store, pause } = this.#options;
    const { leaving, path, document: previous } = running;
    const { number, attempt } = leaving;
    const current: Cut = { number, attempt, path };
    const earlier = await this.#loadEarlier(previous);
    const pair = await recomputeUnmerge({
      definition,
      archive,
      partitions,
      current,
      earlier,
      filled,
      signal: this.#signal,
      goesOn: () => this.#holdOn(),
      pause,
    });
    if (pair === undefined) return undefined;
    const encode = (state: StoredProfile | undefined) =>
      state === undefined ? Buffer.alloc(0) : definition.codec.encode(state);
    const states = { leaver: encode(pair.leaver), stayer: encode(pair.stayer) };
    return store.put('unmerge', encodeUnmerge({ number, attempt, path, previous, ...states }));
  }

  /** Oldest first. */
  async #loadEarlier(newest: string): Promise<Cut[]> {
    const found: Array<{ number: number; attempt: number; path: readonly PathKey[] }> = [];
    for (let hash = newest; hash !== ''; ) {
      const { previous, ...cut } = await this.#options.artifacts.unmerges.loadDocument(hash);
      found.push(cut);
      hash = previous;
    }
    return found.reverse();
  }
}
