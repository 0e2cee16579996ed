import { toTopic } from '@perennial/contracts';
import { assertUsable, type History, type ReadOptions, readOrders, toWarnings } from '@perennial/history';
import type { Log } from '@perennial/kafka';
import { AppError, type Clock, ReleaseStack, systemClock } from '@perennial/kernel';
import type { BackfillResult } from './backfill-result.js';
import { advanceClock, readLogTime } from './clock-client.js';
import type { EventSink } from './event-sink.js';
import { findSent, type Sent, type SentSummary, summarizeSent, toChangeWarnings } from './find-sent.js';
import { createHttpSink } from './http-sink.js';
import type { IngestAddress } from './ingest-address.js';
import { createKafkaSink } from './kafka-sink.js';
import { type Outgoing, type Range, toBatches, toLaneCount } from './lanes.js';
import { encodeEntry, encodeOrders } from './ledger-codec.js';
import { LedgerWriter } from './ledger-writer.js';
import { takeLegacyProgress } from './legacy-progress.js';
import { BACKFILL_LIMITS } from './limits.js';
import { lockFolder } from './lock.js';
import { type Lags, waitForQuiet } from './quiet.js';
import { Rejections } from './rejections.js';
import { type Remaining, toRemaining } from './remaining.js';
import { type Retrying, throwIfAborted } from './retrying.js';
import { LEDGER_IDS_MAX, type RowLedger } from './row-ledger.js';
import { countTicks, findFirstAfter, findLastTick, type ScheduleInput, toSteps, toTickCalls } from './schedule.js';

export interface BackfillOptions extends IngestAddress {
  /** Path of the history file. */
  readonly file: string;
  readonly reading?: ReadOptions | undefined;
  /** Rows up to and including this time are sent, and log time stops exactly there. */
  readonly untilMs?: number | undefined;
  readonly via: 'http' | 'kafka';
  readonly namespace: string;
  readonly log: Log;
  /** The rows backfilled into this namespace so far. */
  readonly ledger: RowLedger;
  /** Folder of the lock; earlier versions kept the progress of each file there. */
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
  readonly #writer: LedgerWriter;
  readonly #rejections = new Rejections();
  readonly #retrying: Retrying;
  #sent = 0;
  #ticks = 0;
  /** Log time of the namespace; other files may have advanced it further than this one. */
  #logTimeMs: number | undefined;

  constructor(options: BackfillOptions, releases: ReleaseStack) {
    this.#options = options;
    this.#releases = releases;
    this.#clock = options.clock ?? systemClock;
    this.#writer = new LedgerWriter(options.ledger);
    this.#retrying = {
      signal: options.signal,
      clock: this.#clock,
      onRetry: (failure) => options.onProgress?.({ kind: 'retry', ...failure }),
    };
  }

  async run(): Promise<BackfillResult> {
    const startMs = this.#clock.steadyMs();
    this.#logTimeMs = await readLogTime(this.#options, this.#retrying);
    const { history, remaining, sent } = await this.#read();
    const before = await this.#count();
    const schedule: ScheduleInput = { ...remaining, untilMs: this.#options.untilMs };
    await this.#walk(remaining, schedule, findLastTick(history, this.#options.untilMs));
    const settled = await this.#settle();
    throwIfAborted(this.#options.signal);
    const after = await this.#count();
    const seen = findFirstAfter(history, this.#logTimeMs ?? Number.NEGATIVE_INFINITY);
    const { sha256, dialect, rows, badRows, leftOut, sameId, eventTypes, counts, users } = history;
    return {
      file: this.#options.file,
      sha256,
      namespace: this.#options.namespace,
      dialect,
      rows,
      badRows,
      leftOut,
      repeatedRows: sent.rows,
      changedOrders: sent.changed,
      sameId,
      eventTypes,
      warnings: [...toChangeWarnings(history.fileName, sent), ...toWarnings(history)],
      events: {
        ...this.#toResult(before, after),
        sent: this.#sent,
        repeated: sent.events,
        duplicates: subtract(after.duplicates, before.duplicates),
        rejections: this.#rejections.result(),
      },
      ...counts,
      users,
      firstTs: toText(history.length === 0 ? undefined : history.timestampMs(0)),
      lastTs: toText(seen === 0 ? undefined : history.timestampMs(seen - 1)),
      resumedFrom: toText(sent.lastMs),
      ticks: this.#ticks,
      logTime: toText(this.#logTimeMs),
      settled: settled.quiet,
      lags: settled.lags,
      seconds: (this.#clock.steadyMs() - startMs) / 1000,
      alreadyBackfilled: sent.events > 0 && findFirstAfter(remaining, this.#options.untilMs ?? Infinity) === 0,
    };
  }

  /** The file, and which of its events earlier runs have sent. */
  async #read(): Promise<{ history: History; remaining: Remaining; sent: SentSummary }> {
    const { file, reading, onProgress, ledger } = this.#options;
    onProgress?.({ kind: 'reading', file });
    const history = await readOrders(file, { latestMs: this.#clock.now(), ...reading });
    assertUsable(history, { badShareMax: BACKFILL_LIMITS.badRowsShareMax });
    await this.#checkLedger(history);
    const found = await findSent(history, ledger);
    await this.#completeLedger(history, found);
    const remaining = toRemaining(history, found);
    const firstMs = remaining.length === 0 ? Number.POSITIVE_INFINITY : remaining.timestampMs(0);
    if (this.#logTimeMs !== undefined && firstMs <= this.#logTimeMs) {
      this.#notice(`the namespace is at ${toText(this.#logTimeMs)} already: events up to then come late`);
    }
    return { history, remaining, sent: summarizeSent(history, found) };
  }

  /** Ingest stores the log time before it answers, so only a namespace that was created anew can be behind its ledger. */
  async #checkLedger(history: History): Promise<void> {
    const { ledger } = this.#options;
    const { ids, logTimeMs } = await ledger.summarize();
    if (ids + history.length > LEDGER_IDS_MAX) {
      const message = `${ids} rows were backfilled into this namespace: with this file more than ${LEDGER_IDS_MAX}`;
      throw new AppError('limit_exceeded', `${message}; backfill into another namespace`);
    }
    if (logTimeMs === undefined || (this.#logTimeMs !== undefined && this.#logTimeMs >= logTimeMs)) return;
    this.#notice('the namespace was made anew since files were backfilled into it: its ledger of rows is cleared');
    await ledger.clear();
  }

  /** What earlier versions sent and kept elsewhere, or not at all, is added to the ledger. */
  async #completeLedger(history: History, found: Sent): Promise<void> {
    const { ledger, progressFolder: folder } = this.#options;
    const logTimeMs = this.#logTimeMs;
    if (logTimeMs === undefined) return;
    const legacy = await takeLegacyProgress(history, found.flags, { folder, logTimeMs });
    if (legacy.length > 0) {
      const rows = `${legacy.length} events of ${history.fileName} were sent by an earlier version`;
      this.#notice(`${rows}, which noted no rejected ones: if some were, dlq redrive --rejected sends them again`);
    }
    const orders = encodeOrders(found.unnamed);
    if (legacy.length > 0) await ledger.append(encodeEntry(legacy), logTimeMs);
    if (orders.length > 0) await ledger.append({ ids: Buffer.alloc(0), orders }, logTimeMs);
  }

  #notice(message: string): void {
    this.#options.onProgress?.({ kind: 'notice', message });
  }

  /** Runs all steps. What was acknowledged is in the ledger afterwards, when a step fails too. */
  async #walk(remaining: Remaining, schedule: ScheduleInput, lastMs: number | undefined): Promise<void> {
    const { onProgress } = this.#options;
    const sink = await this.#openSink();
    try {
      for (const step of toSteps(schedule)) {
        throwIfAborted(this.#options.signal);
        switch (step.kind) {
          case 'send':
            await this.#send(remaining, step, sink);
            break;
          case 'tick':
            await this.#tick(step.timeMs, sink);
            onProgress?.({ kind: 'sending', sent: this.#sent, events: remaining.length, timeMs: step.timeMs });
            break;
        }
      }
      // An earlier run may have sent the last rows and ended before their tick.
      if (lastMs !== undefined) await this.#tick(lastMs, sink);
    } finally {
      await this.#writer.flush(this.#logTimeMs ?? 0);
    }
  }

  async #openSink(): Promise<EventSink> {
    const { via, log, namespace } = this.#options;
    const open = async () =>
      via === 'kafka' ? createKafkaSink(log, namespace) : createHttpSink(this.#options, this.#retrying);
    return this.#releases.acquire('sink', open, (sink) => sink.close());
  }

  /** All lanes concurrently; each in order. */
  async #send(remaining: Remaining, range: Range, sink: EventSink): Promise<void> {
    const count = toLaneCount(range.to - range.from);
    const lanes = Array.from({ length: count }, async (_, number) => {
      for (const batch of toBatches(remaining, range, { number, count })) await this.#deliver(batch, sink);
    });
    const results = await Promise.allSettled(lanes);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #deliver(batch: readonly Outgoing[], sink: EventSink): Promise<void> {
    const delivery = await sink.deliver(batch);
    this.#sent += batch.length;
    this.#rejections.add(delivery);
    // A rejected row is not remembered: it may be accepted when what was wrong with it, or with the platform, is put right.
    const rejected = new Set(delivery.rejected.map(({ event }) => event));
    const accepted = batch.filter((event) => !rejected.has(event));
    await this.#writer.add(
      accepted.map(({ sent }) => sent),
      this.#logTimeMs ?? 0,
    );
  }

  /** Log time that has been reached before needs no tick: an earlier run, or another file's, wrote it. */
  async #tick(toMs: number, sink: EventSink): Promise<void> {
    const fromMs = this.#logTimeMs;
    if (fromMs !== undefined && toMs <= fromMs) return;
    await this.#writer.advance(fromMs ?? toMs, toMs);
    const received = await sink.reached();
    for (const callMs of toTickCalls(fromMs, toMs)) {
      await advanceClock(this.#options, { toMs: callMs, received }, this.#retrying);
    }
    this.#ticks += countTicks(fromMs, toMs);
    this.#logTimeMs = toMs;
  }

  #settle() {
    const { log, namespace, signal, onProgress } = this.#options;
    const onLags = (lags: Lags) => onProgress?.({ kind: 'settling', lags });
    return waitForQuiet({ log, namespace, signal, clock: this.#clock, onLags });
  }

  #toResult(before: Counts, after: Counts): Pick<BackfillResult['events'], 'accepted' | 'rejected' | 'countedBy'> {
    if (this.#options.via === 'http') {
      const rejected = this.#rejections.count;
      return { accepted: this.#sent - rejected, rejected, countedBy: 'answers' };
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
