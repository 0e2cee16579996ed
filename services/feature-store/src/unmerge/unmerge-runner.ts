import type { ArtifactStore } from '@perennial/artifacts';
import { AcceptedRecord, encodeMessage, type Rollout, toPartition, toTopic } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { LEDGER_KEY, type Leaving, type LedgerEntry, type ProfileRef, toParts } from '@perennial/identity';
import { AppError, type Clock, every, isAppError, must, systemClock } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { JobLease } from '@perennial/processor-host';
import type { FeatureArtifacts } from '../artifacts.js';
import { isFilling } from '../fill/fills.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { encodeUnmerge, type PathKey } from '../identity/unmerge-document.js';
import type { Cut } from './cuts.js';
import { followPath } from './follow-path.js';
import type { Definition } from './key-replay.js';
import { type ReplayOptions, replayUnmerge } from './replay-unmerge.js';
import type { UnmergeTelemetry } from './unmerge-telemetry.js';

const RUNNER_LIMITS = {
  /** How often it looks whether there is something to part, or more in the archive. */
  intervalMs: 5_000,
  /** After this time a record that was sent, and had no effect, is sent again. */
  againMs: 60_000,
} as const;

type InForce = ReadonlyMap<string, Rollout>;
type Filled = ReplayOptions['filled'][number];

interface UnmergeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface UnmergeRunnerOptions {
  readonly namespace: string;
  readonly partitions: number;
  readonly artifacts: Pick<FeatureArtifacts, 'fills' | 'loadAll' | 'unmerges'>;
  readonly definition: Definition;
  readonly store: Pick<ArtifactStore, 'put'>;
  readonly archive: Pick<EventArchive, 'list' | 'readChain'>;
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

/** The unmerge that is under way, as the states of its keys have it. */
interface Running {
  readonly entry: LedgerEntry;
  readonly document: string;
  readonly path: readonly ProfileRef[];
  readonly leaving: Leaving;
  /** Offsets at which it began, of the key that leaves and of the profile that is left. */
  readonly began: readonly number[];
}

export class UnmergeRunner {
  readonly #options: UnmergeRunnerOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #againMs: number;
  #sent: { readonly name: string; readonly atMs: number } | undefined;

  constructor(options: UnmergeRunnerOptions, signal?: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#againMs = { ...RUNNER_LIMITS, ...options.limits }.againMs;
  }

  async run(): Promise<void> {
    const { lease, telemetry } = this.#options;
    const running = await this.#find();
    if (running === undefined || !(await lease.hold())) return telemetry.idle();
    const { number, attempt } = running.leaving;
    const name = `${number}/${attempt}`;
    telemetry.aged(Math.max(0, this.#clock.now() - running.entry.change.atMs));
    if (this.#sent?.name === name && this.#clock.steadyMs() - this.#sent.atMs < this.#againMs) return;
    if (!(await this.#isArchived(running))) return;
    const inForce = await this.#options.readInForce();
    const filled = await this.#findFills(inForce);
    if (filled === undefined) return;
    const hash = await this.#rebuild(running, filled);
    if (hash === undefined) return;
    await this.#send(running, hash);
    this.#sent = { name, atMs: this.#clock.steadyMs() };
    telemetry.rebuilt({ number, attempt });
  }

  /** The ledger's unmerge, once both its ends know of it. */
  async #find(): Promise<Running | undefined> {
    const { readStates, telemetry } = this.#options;
    try {
      const { node } = toParts((await readStates([LEDGER_KEY]))[0]?.state);
      if (node.kind !== 'ledger') return undefined;
      const entry = node.entries.find(({ state }) => state === 'running');
      if (entry === undefined) return undefined;
      const { path, nodes } = await followPath(readStates, entry.change.weaker);
      const [first, last] = [nodes[0]?.leaving, nodes.at(-1)?.leaving];
      const isBoth = [first, last].every((one) => one?.number === entry.number && one.attempt === entry.attempt);
      if (!isBoth || path.length < 2) return undefined;
      const began = [first, last].map((one) => must(one, 'an unmerge').offset);
      return { entry, document: node.document, path, leaving: must(last, 'an unmerge'), began };
    } catch (error) {
      if (!isAppError(error, 'dependency_unavailable')) throw error;
      telemetry.waiting(error);
      return undefined;
    }
  }

  /** Whether the archive reaches the records with which it began at both ends: reading all of it before that is in vain. */
  async #isArchived({ path, began }: Running): Promise<boolean> {
    const { archive, partitions } = this.#options;
    const chains = await archive.list();
    const ends = [path[0], path.at(-1)].map((end) => toPartition(must(end, 'an end').key, partitions));
    return ends.every((partition, index) => (chains.get(partition)?.next ?? 0) > (began[index] ?? 0));
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

  /** Hash of the document; undefined while the archive does not reach the unmerge. */
  async #rebuild(running: Running, filled: readonly Filled[]) {
    const { definition, archive, partitions, store } = this.#options;
    const { leaving, path, document: previous } = running;
    const { number, attempt } = leaving;
    const current: Cut = { number, attempt, path };
    const earlier = await this.#loadEarlier(previous);
    const pair = await replayUnmerge({
      definition,
      archive,
      partitions,
      current,
      earlier,
      filled,
      signal: this.#signal,
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

  async #send({ path, leaving, entry }: Running, hash: string): Promise<void> {
    const { namespace, partitions, send } = this.#options;
    const self = must(path.at(-1), 'the profile that is left');
    const { number, attempt } = leaving;
    const { weaker: leaver, stronger } = entry.change;
    const unmerge = { self, step: 'part', number, attempt, leaver, other: stronger.key, hash };
    const value = encodeMessage(AcceptedRecord, { record: { $case: 'unmerge', value: unmerge } });
    const partition = toPartition(self.key, partitions);
    const topic = toTopic(namespace, 'eventAccepted');
    await send([{ topic, partition, key: Buffer.from(self.key), value, headers: {} }]);
  }
}
