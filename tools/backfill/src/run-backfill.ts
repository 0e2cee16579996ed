import { toTopic } from '@perennial/contracts';
import type { BadRow, ColumnMap, History } from '@perennial/history';
import { readOrders } from '@perennial/history';
import type { Log } from '@perennial/kafka';
import { type Clock, ReleaseStack, systemClock } from '@perennial/kernel';
import { advanceClock, readLogTime } from './clock-client.js';
import type { EventSink } from './event-sink.js';
import { createHttpSink } from './http-sink.js';
import type { IngestAddress } from './ingest-address.js';
import { createKafkaSink } from './kafka-sink.js';
import { type Range, toBatches, toLaneCount } from './lanes.js';
import { lockFolder } from './lock.js';
import type { Progress, ProgressStore } from './progress-store.js';
import { createProgressStore } from './progress-store.js';
import { type Lags, waitForQuiet } from './quiet.js';
import { type Retrying, throwIfAborted } from './retrying.js';
import { countTicks, findFirstAfter, type ScheduleInput, toSteps, toTickCalls } from './schedule.js';

export interface BackfillOptions extends IngestAddress {
  /** Path of the history file. */
  readonly file: string;
  readonly map?: ColumnMap | undefined;
  /** Rows up to and including this time are sent, and log time stops exactly there. */
  readonly untilMs?: number | undefined;
  readonly via: 'http' | 'kafka';
  readonly namespace: string;
  readonly log: Log;
  /** Folder of the progress of backfills into this namespace. */
  readonly progressFolder: string;
  readonly onProgress?: ((progress: BackfillProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Repeated events that changed nothing, counted by the feature-store since it started; undefined where it cannot be
   * reached.
   */
  readonly readDuplicates?: (() => Promise<number | undefined>) | undefined;
  readonly clock?: Clock;
  readonly process?: { pid: number; isAlive: (pid: number) => boolean };
}

/** Progress of a backfill, called often enough for a progress line. */
export type BackfillProgress =
  | { readonly kind: 'reading'; readonly file: string }
  /** Worth reporting, but not a failure. */
  | { readonly kind: 'notice'; readonly message: string }
  | { readonly kind: 'sending'; readonly sent: number; readonly events: number; readonly timeMs: number }
  | { readonly kind: 'retry'; readonly message: string; readonly waitMs: number }
  | { readonly kind: 'settling'; readonly lags: Lags };

/** Result of a backfill. Numbers of events and ticks are of this run; rows, orders and refunds are of the file. */
export interface BackfillResult {
  readonly file: string;
  readonly sha256: string;
  readonly namespace: string;
  readonly rows: number;
  readonly badRows: { readonly count: number; readonly first: readonly BadRow[] };
  readonly events: {
    readonly sent: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly duplicates: number | null;
    /**
     * `answers`: the answers of the front door (HTTP). `topics`: records of event.accepted and event.rejected (Kafka).
     */
    readonly countedBy: 'answers' | 'topics';
  };
  readonly orders: number;
  readonly refunds: number;
  readonly others: number;
  readonly users: number;
  readonly firstTs: string | null;
  readonly lastTs: string | null;
  readonly resumedFrom: string | null;
  readonly ticks: number;
  readonly logTime: string | null;
  /** False when the platform did not become quiet within the limit; `lags` names the consumers that are behind. */
  readonly settled: boolean;
  readonly lags: Lags;
  readonly seconds: number;
  readonly alreadyBackfilled: boolean;
}

/**
 * Backfills a history file through the front door in fast time and waits until the platform has processed it. Throws
 * AppError when the file, the sink or the clock fails; progress is kept, and the next run continues from there.
 */
export async function runBackfill(options: BackfillOptions): Promise<BackfillResult> {
  const releases = new ReleaseStack();
  try {
    const self = options.process ?? { pid: process.pid, isAlive };
    await releases.acquire(
      'lock',
      () => lockFolder(options.progressFolder, self),
      (release) => release(),
    );
    return await new Backfill(options, releases).run();
  } finally {
    await releases.dispose();
  }
}

interface Counts {
  readonly partitions: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly duplicates: number | undefined;
}

class Backfill {
  readonly #options: BackfillOptions;
  readonly #releases: ReleaseStack;
  readonly #clock: Clock;
  readonly #store: ProgressStore;
  readonly #retrying: Retrying;
  #sent = 0;
  #rejected = 0;
  #ticks = 0;
  /** Log time of the namespace; other files may have advanced it further than this one. */
  #logTimeMs: number | undefined;

  constructor(options: BackfillOptions, releases: ReleaseStack) {
    this.#options = options;
    this.#releases = releases;
    this.#clock = options.clock ?? systemClock;
    this.#store = createProgressStore(options.progressFolder);
    this.#retrying = {
      signal: options.signal,
      clock: this.#clock,
      onRetry: (failure) => options.onProgress?.({ kind: 'retry', ...failure }),
    };
  }

  async run(): Promise<BackfillResult> {
    const startMs = this.#clock.steadyMs();
    this.#logTimeMs = await readLogTime(this.#options, this.#retrying);
    const { history, progress } = await this.#read();
    const before = await this.#count();
    const resumedMs = progress?.reachedMs;
    const schedule: ScheduleInput = {
      length: history.length,
      timestampMs: (index) => history.timestampMs(index),
      reachedMs: resumedMs,
      untilMs: this.#options.untilMs,
    };
    const reachedMs = await this.#walk(history, schedule);
    const alreadyBackfilled = resumedMs !== undefined && reachedMs === resumedMs;
    const settled = await this.#settle();
    throwIfAborted(this.#options.signal);
    const after = await this.#count();
    const seen = findFirstAfter(schedule, reachedMs ?? Number.NEGATIVE_INFINITY);
    return {
      file: this.#options.file,
      sha256: history.sha256,
      namespace: this.#options.namespace,
      rows: history.rows,
      badRows: history.badRows,
      events: {
        ...this.#toResult(before, after),
        sent: this.#sent,
        duplicates: subtract(after.duplicates, before.duplicates),
      },
      orders: history.counts.orders,
      refunds: history.counts.refunds,
      others: history.counts.others,
      users: history.users,
      firstTs: toText(history.length === 0 ? undefined : history.timestampMs(0)),
      lastTs: toText(seen === 0 ? undefined : history.timestampMs(seen - 1)),
      resumedFrom: toText(resumedMs),
      ticks: this.#ticks,
      logTime: toText(this.#logTimeMs),
      settled: settled.quiet,
      lags: settled.lags,
      seconds: (this.#clock.steadyMs() - startMs) / 1000,
      alreadyBackfilled,
    };
  }

  /** The file, under the name that it had when its backfill began, and its progress. */
  async #read(): Promise<{ history: History; progress: Progress | undefined }> {
    const { file, map, onProgress } = this.#options;
    onProgress?.({ kind: 'reading', file });
    const options = { ...(map === undefined ? {} : { map }), latestMs: this.#clock.now() };
    const history = await readOrders(file, options);
    const progress = await this.#store.load(history.sha256);
    if (progress === undefined) {
      const firstMs = history.length === 0 ? Number.POSITIVE_INFINITY : history.timestampMs(0);
      if (this.#logTimeMs !== undefined && firstMs <= this.#logTimeMs) {
        this.#notice(`the namespace is at ${toText(this.#logTimeMs)} already: events up to then come late`);
      }
      return { history, progress };
    }
    // Ingest stores the log time before it answers, so only a namespace that was created anew can be behind.
    if (this.#logTimeMs === undefined || this.#logTimeMs < progress.reachedMs) {
      this.#notice(
        'the namespace was made anew since this file was backfilled, so it is backfilled from its beginning',
      );
      return { history, progress: undefined };
    }
    if (progress.fileName === history.fileName) return { history, progress };
    return { history: await readOrders(file, { ...options, fileName: progress.fileName }), progress };
  }

  #notice(message: string): void {
    this.#options.onProgress?.({ kind: 'notice', message });
  }

  /** Runs all steps; returns the log time reached. */
  async #walk(history: History, schedule: ScheduleInput): Promise<number | undefined> {
    const { onProgress } = this.#options;
    let reachedMs = schedule.reachedMs;
    const sink = await this.#openSink();
    for (const step of toSteps(schedule)) {
      throwIfAborted(this.#options.signal);
      switch (step.kind) {
        case 'send':
          await this.#send(history, step, sink);
          break;
        case 'tick':
          await this.#tick(reachedMs, step.timeMs, sink);
          reachedMs = step.timeMs;
          await this.#store.save({ sha256: history.sha256, fileName: history.fileName, reachedMs });
          onProgress?.({ kind: 'sending', sent: this.#sent, events: history.length, timeMs: reachedMs });
          break;
      }
    }
    return reachedMs;
  }

  async #openSink(): Promise<EventSink> {
    const { via, log, namespace } = this.#options;
    const open = async () =>
      via === 'kafka' ? createKafkaSink(log, namespace) : createHttpSink(this.#options, this.#retrying);
    return this.#releases.acquire('sink', open, (sink) => sink.close());
  }

  /** All lanes concurrently; each in order. */
  async #send(history: History, range: Range, sink: EventSink): Promise<void> {
    const count = toLaneCount(range.to - range.from);
    const lanes = Array.from({ length: count }, async (_, number) => {
      for (const batch of toBatches(history, range, { number, count })) {
        const { rejected } = await sink.deliver(batch);
        this.#sent += batch.length;
        this.#rejected += rejected;
      }
    });
    const results = await Promise.allSettled(lanes);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #tick(fromMs: number | undefined, toMs: number, sink: EventSink): Promise<void> {
    const received = await sink.reached();
    for (const callMs of toTickCalls(fromMs, toMs)) {
      await advanceClock(this.#options, { toMs: callMs, received }, this.#retrying);
    }
    // Ticks that another file's backfill has written are not written again.
    this.#ticks += countTicks(maxOf(fromMs, this.#logTimeMs), toMs);
    this.#logTimeMs = maxOf(this.#logTimeMs, toMs);
  }

  #settle() {
    const { log, namespace, signal, onProgress } = this.#options;
    const onLags = (lags: Lags) => onProgress?.({ kind: 'settling', lags });
    return waitForQuiet({ log, namespace, signal, clock: this.#clock, onLags });
  }

  #toResult(before: Counts, after: Counts): Pick<BackfillResult['events'], 'accepted' | 'rejected' | 'countedBy'> {
    if (this.#options.via === 'http') {
      return { accepted: this.#sent - this.#rejected, rejected: this.#rejected, countedBy: 'answers' };
    }
    const ticks = this.#ticks * after.partitions;
    const accepted = after.accepted - before.accepted - ticks;
    return { accepted, rejected: after.rejected - before.rejected, countedBy: 'topics' };
  }

  async #count(): Promise<Counts> {
    const { log, namespace } = this.#options;
    const accepted = await log.offsets(toTopic(namespace, 'eventAccepted'));
    const rejected = await log.offsets(toTopic(namespace, 'eventRejected'));
    return {
      partitions: accepted.size,
      accepted: sumHighs(accepted),
      rejected: sumHighs(rejected),
      duplicates: await this.#options.readDuplicates?.(),
    };
  }
}

function sumHighs(offsets: ReadonlyMap<number, { high: number }>): number {
  return [...offsets.values()].reduce((sum, { high }) => sum + high, 0);
}

function maxOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** A counter that has decreased belongs to a restarted process: the difference is then unknown. */
function subtract(after: number | undefined, before: number | undefined): number | null {
  return after === undefined || before === undefined || after < before ? null : after - before;
}

function toText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
