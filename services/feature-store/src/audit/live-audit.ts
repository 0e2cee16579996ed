import type { AuditMismatch } from '@perennial/contracts';
import type { ArchivedLog, EventArchive } from '@perennial/event-archive';
import { AppError, type Clock, every, isAppError, must, systemClock } from '@perennial/kernel';
import type { StatePage } from '@perennial/keyed-processor';
import type { JobLease } from '@perennial/processor-host';
import type { AuditRecords } from '../adapters/audit-records.js';
import type { BaselineStore } from '../adapters/baseline-store.js';
import type { FeatureArtifacts } from '../artifacts.js';
import type { DriftWatch } from '../drift/drift-watch.js';
import type { AuditTelemetry } from './audit-telemetry.js';
import { type CompareDeps, compareStored } from './compare-stored.js';
import { Recomputation } from './recompute.js';

/** What an audit may take. */
const LIVE_AUDIT_LIMITS = {
  /** How often it looks whether the archive has reached the profiles that it read. */
  intervalMs: 5_000,
  /** Share of one thread. */
  dutyShareMax: 0.1,
  /** Profiles compared in one reading of their partition's archive. */
  profilesAtOnce: 500,
  /** Bytes of their states; with more, fewer profiles are read. */
  statesBytesMax: 16 * 1_048_576,
  /** Keys of the archive that are looked up in the store: a profile that is lost there is on no page. */
  keysLookedUp: 20,
  /** Records between two pauses of the event loop, 1 to 2 ms: reads over HTTP wait for them. */
  recordsAtOnce: 32,
  /** How often the lease is renewed amid a page, which may take minutes. */
  renewMs: 5_000,
} as const;

type LiveAuditLimits = { readonly [Name in keyof typeof LIVE_AUDIT_LIMITS]: number };

export interface LiveAuditOptions extends CompareDeps {
  readonly partitions: number;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  /** The processor's, with metrics of its own: what is recomputed counts for nothing. */
  readonly definition: ConstructorParameters<typeof Recomputation>[0];
  /** Loads every registered spec. */
  readonly loadSpecs: FeatureArtifacts['loadAll'];
  readonly readPage: (at: {
    readonly partition: number;
    readonly cursor: string;
    readonly count: number;
    readonly keys: readonly string[];
  }) => Promise<StatePage>;
  readonly lease: JobLease;
  readonly records: AuditRecords;
  readonly telemetry: AuditTelemetry;
  /** Sees every profile that is compared. */
  readonly drift: DriftWatch;
  readonly loadBaseline: BaselineStore['load'];
  readonly limits?: Partial<LiveAuditLimits>;
  /** Replaceable for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface LiveAudit {
  /** The next process goes on behind the last page that was compared. */
  stop(): Promise<void>;
}

/** Compares the stored profiles of a namespace with the archive, page by page and for ever, until stopped. */
export function startLiveAudit(options: LiveAuditOptions): LiveAudit {
  const { clock = systemClock, telemetry, limits } = options;
  const { intervalMs } = { ...LIVE_AUDIT_LIMITS, ...limits };
  const stopping = new AbortController();
  const auditor = new Auditor(options, stopping.signal);
  const onError = (error: unknown) => {
    if (!stopping.signal.aborted) telemetry.failed(error);
  };
  const interval = every({ intervalMs, clock, onError }, () => auditor.run());
  return {
    async stop() {
      stopping.abort(new AppError('dependency_unavailable', 'this process stops', { retriable: true }));
      await interval.stop();
    },
  };
}

/** A page, and the keys that are looked up besides. */
interface PendingPage {
  readonly page: StatePage;
  readonly keys: ReadonlySet<string>;
  /** When it was read. */
  readonly atMs: number;
}

class Auditor {
  readonly #options: LiveAuditOptions;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #limits: LiveAuditLimits;
  /** By partition: read, and not yet compared. */
  readonly #pending = new Map<number, PendingPage>();
  readonly #lookedUp = new Map<number, readonly string[]>();
  #hasLease = false;
  #heldAtMs = 0;

  constructor(options: LiveAuditOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...LIVE_AUDIT_LIMITS, ...options.limits };
  }

  /** One page of each partition whose archive reaches it. */
  async run(): Promise<void> {
    const { partitions, archive, telemetry } = this.#options;
    if (!(await this.#takeLease())) return;
    for (let partition = 0; partition < partitions; partition++) {
      if (!this.#pending.has(partition)) await this.#readPage(partition);
    }
    const logs = await archive.list();
    for (const [partition, pending] of this.#pending) {
      const archived = logs.get(partition);
      if (pending.page.next > 0 && (archived === undefined || archived.next < pending.page.next)) continue;
      await this.#compare(pending, archived);
      this.#pending.delete(partition);
      if (!(await this.#hold())) break;
    }
    const oldestMs = Math.min(this.#clock.now(), ...[...this.#pending.values()].map(({ atMs }) => atMs));
    telemetry.waits(this.#clock.now() - oldestMs);
  }

  async #takeLease(): Promise<boolean> {
    const { records, telemetry, partitions, drift } = this.#options;
    const hadLease = this.#hasLease;
    this.#hasLease = await this.#hold();
    if (!this.#hasLease) {
      // Whoever has it goes on from the same cursors.
      this.#pending.clear();
      if (hadLease) drift.clear();
      telemetry.idle();
    } else if (!hadLease) {
      telemetry.resumed((await records.readStatus(partitions)).lastSuccessAt, this.#clock.now());
    }
    return this.#hasLease;
  }

  async #hold(): Promise<boolean> {
    this.#heldAtMs = this.#clock.steadyMs();
    return this.#options.lease.hold();
  }

  /** Amid a page. One whose lease has lapsed all the same is compared to its end: that costs work, and no more. */
  async #renew(): Promise<void> {
    if (this.#clock.steadyMs() - this.#heldAtMs >= this.#limits.renewMs) await this.#hold();
  }

  async #readPage(partition: number): Promise<void> {
    const { records, readPage, telemetry } = this.#options;
    const keys = this.#lookedUp.get(partition) ?? [];
    let { profilesAtOnce: count } = this.#limits;
    try {
      const cursor = await records.readCursor(partition);
      let page = await readPage({ partition, cursor, count, keys });
      while (count > 1 && sumBytes(page) > this.#limits.statesBytesMax) {
        count = Math.ceil(count / 4);
        page = await readPage({ partition, cursor, count, keys });
      }
      if (page.isAmidTick) return;
      const all = new Set([...page.states.keys(), ...keys]);
      this.#pending.set(partition, { page, keys: all, atMs: this.#clock.now() });
    } catch (error) {
      // It is restored, or was not begun yet.
      if (!isAppError(error, 'dependency_unavailable')) throw error;
      telemetry.unreadable(error);
    }
  }

  async #compare({ page, keys }: PendingPage, archived: ArchivedLog | undefined): Promise<void> {
    const { records, telemetry, loadSpecs, drift, loadBaseline } = this.#options;
    const { partition, cursor } = page;
    const recomputation = new Recomputation(this.#options.definition, keys);
    if (archived !== undefined) await this.#recompute(recomputation, archived, page.next);
    // A state of a spec that another process put in force is no mismatch.
    await loadSpecs();
    const mismatches: AuditMismatch[] = [];
    drift.setBaseline(await loadBaseline());
    for (const key of keys) {
      const compared = await compareStored(key, page, recomputation, this.#options);
      mismatches.push(...compared.mismatches);
      // An account is no person: what it counts is counted by its members already.
      if (compared.served !== undefined && !compared.isAccount) drift.add(compared.served.features);
      await this.#renew();
    }
    const atMs = this.#clock.now();
    await records.writeDrift(drift.observe());
    await records.add({ partition, cursor, profiles: keys.size, mismatches, atMs });
    telemetry.compared({ profiles: keys.size, mismatches, isPassDone: cursor === '0', atMs });
  }

  /** Throws `data_damaged` when the archive lacks records. */
  async #recompute(recomputation: Recomputation, archived: ArchivedLog, end: number): Promise<void> {
    const { archive } = this.#options;
    const gap = archived.first > 0 ? { from: 0, to: archived.first - 1 } : archived.gaps[0];
    const first = must(archived.files[0], 'a file');
    if (gap !== undefined) {
      const range = `offsets ${gap.from} to ${gap.to}`;
      throw new AppError(
        'data_damaged',
        `partition ${first.partition}: the archive lacks ${range}: nothing can be compared`,
      );
    }
    const seen = new KeySample(this.#limits.keysLookedUp, this.#options.random ?? Math.random);
    let workedFromMs = this.#clock.steadyMs();
    for await (const recordsOfFile of archive.readLog(archived, end)) {
      for (let from = 0; from < recordsOfFile.length; from += this.#limits.recordsAtOnce) {
        const some = recordsOfFile.slice(from, from + this.#limits.recordsAtOnce);
        for (const { key } of some) if (key !== null) seen.take(key.toString());
        await recomputation.take(some);
        await this.#renew();
        await new Promise((resolve) => setImmediate(resolve));
        this.#signal.throwIfAborted();
      }
      workedFromMs = await this.#rest(workedFromMs);
    }
    this.#lookedUp.set(first.partition, seen.keys);
  }

  /** Live events come first. */
  async #rest(workedFromMs: number): Promise<number> {
    const { dutyShareMax, renewMs } = this.#limits;
    const workedMs = this.#clock.steadyMs() - workedFromMs;
    let restMs = (workedMs * (1 - dutyShareMax)) / dutyShareMax;
    do {
      const waitMs = Math.min(restMs, renewMs);
      await this.#clock.wait(waitMs, this.#signal);
      await this.#renew();
      restMs -= waitMs;
    } while (restMs > 0);
    return this.#clock.steadyMs();
  }
}

/** Some keys, each record's as likely as any other's. */
class KeySample {
  readonly #countMax: number;
  readonly #random: () => number;
  readonly #keys: string[] = [];
  #seen = 0;

  constructor(countMax: number, random: () => number) {
    this.#countMax = countMax;
    this.#random = random;
  }

  take(key: string): void {
    this.#seen += 1;
    const place = this.#keys.length < this.#countMax ? this.#keys.length : Math.floor(this.#random() * this.#seen);
    if (place < this.#countMax) this.#keys[place] = key;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }
}

function sumBytes({ states }: StatePage): number {
  let bytes = 0;
  for (const state of states.values()) bytes += state.length;
  return bytes;
}
