import { setMaxListeners } from 'node:events';
import { toPartition, toTopic } from '@perennial/contracts';
import type { LogProducer } from '@perennial/kafka';
import { type Clock, createSeededRandom, systemClock, withLimit } from '@perennial/kernel';
import type { IdPair } from './circles.js';
import { BATCH_EVENTS, type Batch, Population } from './population.js';
import type { DecidedAction } from './reports.js';

export interface WorkloadOptions {
  readonly namespace: string;
  readonly partitions: number;
  /** Write keys of two sources: a repeat may be sent by the other one. */
  readonly writeKeys: readonly [string, string];
  readonly seed: number;
  readonly eventsPerSecond: number;
  /** Present addresses of the front doors; read before each attempt. */
  ingestUrls(): readonly string[];
  /** For events sent over Kafka, and for poison. */
  readonly producer: LogProducer;
  readonly clock?: Clock;
}

/** What was acknowledged: the result is compared with it. */
export interface Acknowledged {
  /** Over HTTP with 200, or over Kafka by the broker, by `messageId`. */
  readonly messageIds: ReadonlySet<string>;
  /** Repeated sends of events that had been acknowledged before. */
  readonly repeats: number;
  /** Subset of these: events with timestamps hours ago, and events sent at once by both sources. */
  readonly agedRepeats: number;
  readonly twins: number;
  /** User of each event that has one, acknowledged or not, by `messageId`. */
  readonly userOf: ReadonlyMap<string, string>;
  /** Responses of 429 and 503, and how many of them had no Retry-After. */
  readonly busy: { readonly answers: number; readonly withoutRetryAfter: number };
  /** Sent by means that must not count, as in a transaction that was aborted: none of them may be accepted. */
  readonly inVain: ReadonlySet<string>;
  /** Undecodable records written to `event.received`. */
  readonly poison: number;
  /** Responses other than 200 and failed requests; each was retried. */
  readonly failedAttempts: Readonly<Record<string, number>>;
  /** Events never acknowledged until the end: they may be accepted or not. */
  readonly abandoned: number;
}

/** Maximum of requests in flight; above it the sender falls behind, as a client would. */
const IN_FLIGHT_MAX = 64;
const REQUEST_TIMEOUT_MS = 12_000;
const RETRY = { initialMs: 100, maxMs: 2_000 };
/** Shares of batches; the share of poison is one of events. */
const SHARES = {
  repeat: 0.05,
  agedRepeat: 0.05,
  twin: 0.02,
  kafka: 0.1,
  poison: 0.01,
};
/** Aged batches that are sent again until the end of the run. */
const AGED_BATCHES_MAX = 100;
/** Acknowledged batches that may still be sent again. */
const REMEMBERED_BATCHES_MAX = 200;

/**
 * A population of users at a steady rate: batches over HTTP and single events over Kafka, retried until acknowledged.
 * Some are sent again though acknowledged: in another order, by another source, by two at once, or long after their
 * timestamps. Undecodable records are written to the Kafka source.
 */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #random: () => number;
  readonly #population: Population;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  readonly #givenUp = new AbortController();
  readonly #messageIds = new Set<string>();
  readonly #inVain = new Set<string>();
  readonly #busy = { answers: 0, withoutRetryAfter: 0 };
  readonly #aged: Batch[] = [];
  readonly #failedAttempts: Record<string, number> = {};
  readonly #flying = new Set<Promise<void>>();
  #remembered: Batch[] = [];
  #repeats = 0;
  #agedRepeats = 0;
  #twins = 0;
  #poison = 0;
  #abandoned = 0;
  #rateFactor = 1;
  #running: Promise<void> | undefined;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
    this.#population = new Population(options.seed, this.#random);
    this.#clock = options.clock ?? systemClock;
  }

  start(): void {
    // One listener for each request in flight.
    setMaxListeners(0, this.#givenUp.signal);
    this.#running ??= this.#run();
  }

  /** Multiplies the rate, for overload; 1 is normal. */
  set rateFactor(factor: number) {
    this.#rateFactor = factor;
  }

  /** Share of the events that belong to the hot user; undefined for the usual share. */
  set hotShare(share: number | undefined) {
    this.#population.hotShare = share;
  }

  /** One event, to be taken back. */
  drawEvent(random: () => number): readonly [userId: string, messageId: string] | undefined {
    return this.#population.drawEvent(random);
  }

  /** Two ids of one person, to be parted. */
  drawPair(random: () => number): IdPair | undefined {
    return this.#population.drawPair(random);
  }

  /** An action of which something may be reported. */
  noteAction(action: DecidedAction): void {
    this.#population.noteAction(action);
  }

  get acknowledged(): Acknowledged {
    return {
      messageIds: this.#messageIds,
      repeats: this.#repeats,
      agedRepeats: this.#agedRepeats,
      twins: this.#twins,
      userOf: this.#population.userOf,
      busy: this.#busy,
      inVain: this.#inVain,
      poison: this.#poison,
      failedAttempts: this.#failedAttempts,
      abandoned: this.#abandoned,
    };
  }

  /** Sends a new batch by other means, as records of `event.received`; it is acknowledged once `send` resolves. */
  async sendBy(send: (values: readonly Buffer[]) => Promise<void>): Promise<void> {
    const batch = this.#population.makeBatch(this.#clock.now());
    await send(toValues(batch));
    this.#remember(batch);
  }

  /** Sends a new batch by means that must not count. */
  async sendInVain(send: (values: readonly Buffer[]) => Promise<void>): Promise<void> {
    const batch = this.#population.makeBatch(this.#clock.now());
    for (const { messageId } of batch.events) this.#inVain.add(messageId);
    await send(toValues(batch));
  }

  /** Stops sending new events; waits `graceMs` for requests in flight to be acknowledged, then abandons them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped.abort();
    // It may wait for those in flight.
    const deadline = setTimeout(() => this.#givenUp.abort(), graceMs);
    await this.#running;
    await Promise.all(this.#flying);
    clearTimeout(deadline);
  }

  async #run(): Promise<void> {
    let dueMs = this.#clock.now();
    while (!this.#stopped.signal.aborted) {
      dueMs += (BATCH_EVENTS * 1000) / (this.#options.eventsPerSecond * this.#rateFactor);
      const waitMs = dueMs - this.#clock.now();
      if (waitMs > 0) await this.#clock.wait(waitMs, this.#stopped.signal);
      while (this.#flying.size >= IN_FLIGHT_MAX) await Promise.race(this.#flying);
      // Behind by more than this, as after an outage: the missed events are not sent, to avoid a burst.
      dueMs = Math.max(dueMs, this.#clock.now() - 1_000);
      this.#launch();
    }
  }

  #launch(): void {
    const batch = this.#repeat() ?? this.#population.makeBatch(this.#clock.now());
    const twin = this.#random() < SHARES.twin;
    if (twin) this.#twins += batch.events.length;
    const [first, second] = this.#options.writeKeys;
    if (twin) for (const writeKey of [first, second]) this.#track(batch, this.#sendToIngest(batch, writeKey));
    else if (this.#random() < SHARES.kafka) this.#track(batch, this.#sendToKafka(batch));
    else this.#track(batch, this.#sendToIngest(batch, this.#random() < 0.5 ? first : second));
    if (this.#random() < SHARES.poison * BATCH_EVENTS) void this.#sendPoison();
  }

  /** Events acknowledged before, in another order. */
  #repeat(): Batch | undefined {
    const kind = this.#random();
    const isAged = kind < SHARES.agedRepeat;
    const isRecent = !isAged && kind < SHARES.agedRepeat + SHARES.repeat;
    const batch = isAged ? this.#pick(this.#aged) : isRecent ? this.#pick(this.#remembered) : undefined;
    if (batch === undefined) return undefined;
    this.#repeats += batch.events.length;
    if (isAged) this.#agedRepeats += batch.events.length;
    return { ...batch, events: [...batch.events].reverse() };
  }

  #track(batch: Batch, send: Promise<boolean>): void {
    const sending = send
      .then((acknowledged) => {
        if (!acknowledged) this.#abandoned += batch.events.length;
        else this.#remember(batch);
      })
      .finally(() => this.#flying.delete(sending));
    this.#flying.add(sending);
  }

  #remember(batch: Batch): void {
    const isNew = batch.events.some(({ messageId }) => !this.#messageIds.has(messageId));
    for (const { messageId } of batch.events) this.#messageIds.add(messageId);
    if (batch.aged && isNew && this.#aged.length < AGED_BATCHES_MAX) this.#aged.push(batch);
    this.#remembered.push(batch);
    if (this.#remembered.length > REMEMBERED_BATCHES_MAX)
      this.#remembered = this.#remembered.slice(-REMEMBERED_BATCHES_MAX / 2);
  }

  async #sendToIngest(batch: Batch, writeKey: string): Promise<boolean> {
    const body = JSON.stringify({ batch: batch.events, sentAt: batch.sentAt });
    return this.#untilAcknowledged(async () => {
      const ingest = this.#pick(this.#options.ingestUrls());
      if (ingest === undefined) return 'unreachable';
      const headers = { authorization: `Bearer ${writeKey}`, 'content-type': 'application/json' };
      const limit = { ms: REQUEST_TIMEOUT_MS, message: 'no answer in time', signal: this.#givenUp.signal };
      const response = await withLimit(limit, async (signal) => {
        const answer = await fetch(`${ingest}/v1/batch`, { method: 'POST', headers, body, signal });
        await answer.arrayBuffer();
        return answer;
      });
      this.#noteBusy(response);
      return response.status === 200 ? undefined : String(response.status);
    });
  }

  #noteBusy({ status, headers }: Response): void {
    if (status !== 429 && status !== 503) return;
    this.#busy.answers++;
    if (!(Number(headers.get('retry-after')) >= 1)) this.#busy.withoutRetryAfter++;
  }

  async #sendToKafka(batch: Batch): Promise<boolean> {
    const { namespace, partitions, producer } = this.#options;
    const values = toValues(batch);
    const records = batch.events.map(({ messageId, type }, index) => {
      const topic = toTopic(namespace, type === 'outcome' ? 'actionOutcome' : 'eventReceived');
      const value = values[index] ?? null;
      return { topic, partition: toPartition(messageId, partitions), key: null, value, headers: {} };
    });
    return this.#untilAcknowledged(async () => {
      await producer.send(records);
      return undefined;
    });
  }

  async #sendPoison(): Promise<void> {
    const { namespace, partitions, producer } = this.#options;
    const value = Buffer.from(Array.from({ length: 40 }, () => Math.floor(this.#random() * 256)));
    const partition = Math.floor(this.#random() * partitions);
    const record = { topic: toTopic(namespace, 'eventReceived'), partition, key: null, value, headers: {} };
    // Counted once acknowledged; otherwise it may be accepted or not, and both are correct.
    await producer.send([record]).then(
      () => this.#poison++,
      () => undefined,
    );
  }

  /** Retries until `attempt` returns no failure; false when abandoned. */
  async #untilAcknowledged(attempt: () => Promise<string | undefined>): Promise<boolean> {
    let waitMs = RETRY.initialMs;
    while (!this.#givenUp.signal.aborted) {
      const failure = await attempt().catch((error: unknown) => toReason(error));
      if (failure === undefined) return true;
      this.#failedAttempts[failure] = (this.#failedAttempts[failure] ?? 0) + 1;
      await this.#clock.wait(waitMs, this.#givenUp.signal);
      waitMs = Math.min(RETRY.maxMs, waitMs * 2);
    }
    return false;
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}

/** Events as they travel over Kafka. */
function toValues({ events, sentAt }: Batch): Buffer[] {
  return events.map((event) => Buffer.from(JSON.stringify({ ...event, sentAt })));
}

function toReason(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: string; cause?: { code?: string } };
  return cause?.code ?? code ?? name ?? 'error';
}
