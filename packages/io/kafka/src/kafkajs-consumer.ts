import { AppError, type Clock, every, systemClock, toBackoffMs, toMessage } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import { type Consumer, type EachBatchPayload, type Kafka, PartitionAssigners } from 'kafkajs';
import { type Delivery, toDelivery } from './decode-records.js';
import { GroupMembership } from './group-membership.js';
import { isNameTaken, isSessionLost, toKafkaError } from './kafkajs-client.js';
import type { ConsumerOptions, LogConsumer, LogConsumerHandlers } from './log.js';
import { PassedOffsets } from './passed-offsets.js';
import { nameHeartbeats, withInstanceId } from './static-membership.js';

/**
 * Partitions handled concurrently; further ones wait for a free slot. kafkajs iterates over all slots at every fetch.
 */
const PARTITIONS_AT_ONCE_MAX = 64;
/** Minimum number of heartbeats per session timeout, so that two may be lost. */
const HEARTBEATS_PER_SESSION = 3;
/**
 * Members learn of a rebalance by their heartbeat, and none works until all have rejoined: so this is shorter than the
 * session timeout would allow.
 */
const HEARTBEAT_INTERVAL_MS_MAX = 500;
/** Our own heartbeats come twice as often, because kafkajs skips a heartbeat that comes slightly early. */
const BEATS_PER_HEARTBEAT = 2;
/** How long the group waits until a member has given up its partitions and rejoined. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** Maximum size of one response, all partitions together. */
const FETCH_BYTES_MAX = 10 * 1_048_576;
/**
 * Wait before a failed consumer is restarted, and before a failed delivery is retried. It grows until a delivery was
 * handled: a consumer that joins its group and crashes again has gained nothing.
 */
const RESTART_BACKOFF = { initialMs: 200, maxMs: 5_000 };
/** A session that lasted this long was no failure at once, though nothing was delivered. */
const LASTING_SESSION_MS = 60_000;
/** Wait before a fetched partition that is not (or no longer) owned is dropped, to avoid a busy loop. */
const STRAY_WAIT_MS = 50;

export interface KafkajsConsumerOptions extends ConsumerOptions {
  readonly groupInstanceId: string | undefined;
  readonly logger: Logger;
  /** Of heartbeats, and of the waits before a restart and a retry; default: the system's. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** The state of one kafkajs consumer; after a crash a new one begins. */
interface Session {
  readonly consumer: Consumer;
  /**
   * One function for each delivery in flight: it ends the delivery for kafkajs at once, with an error, while the
   * handler goes on.
   */
  readonly letGo: Set<(error: unknown) => void>;
  heartbeat: (() => Promise<void>) | undefined;
  forgetName: () => void;
}

/**
 * A consumer on kafkajs. Its rules, and how they are kept:
 * - one call at a time per partition, also across rebalances: a delivery waits for the previous one (`#busy`);
 * - no delivery before `onAssigned` or after `onRevoked`: GroupMembership is the gate;
 * - a handler may take any time: heartbeats are sent meanwhile;
 * - a crash of kafkajs: it is restarted without limit, with backoff, and each time `onError` is called;
 * - a member whose group instance id another member has taken goes on without one: if each took it back from the other,
 *   both would stall.
 */
export class KafkajsConsumer implements LogConsumer {
  readonly #kafka: Kafka;
  readonly #logger: Logger;
  readonly #options: KafkajsConsumerOptions;
  readonly #handlers: LogConsumerHandlers;
  readonly #membership: GroupMembership;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stopped = new AbortController();
  readonly #busy = new Map<number, Promise<void>>();
  readonly #failures = new Map<number, number>();
  readonly #passed = new PassedOffsets();
  #groupInstanceId: string | undefined;
  #session: Session | undefined;
  #running: Promise<void> = Promise.resolve();
  #delivering = 0;
  /** Sessions that failed since a delivery was last handled. */
  #restarts = 0;

  constructor(kafka: Kafka, options: KafkajsConsumerOptions, handlers: LogConsumerHandlers) {
    this.#kafka = kafka;
    this.#logger = options.logger.child({ topic: options.topic, group: options.groupId });
    this.#options = options;
    this.#groupInstanceId = options.groupInstanceId;
    this.#handlers = handlers;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#membership = new GroupMembership(handlers, (error) => this.#report(error), this.#clock);
  }

  start(): void {
    this.#running = this.#run();
  }

  seek(partition: number, offset: number): void {
    if (!this.#membership.owns(partition)) return;
    try {
      this.#session?.consumer.seek({ topic: this.#options.topic, partition, offset: String(offset) });
    } catch (error) {
      // Between two kafkajs sessions there is nothing to seek in; the next assignment begins with its own seek.
      this.#logger.debug({ partition, reason: toMessage(error) }, 'seek without a running consumer');
    }
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options;
    const owned = [...offsets].filter(([partition]) => this.#membership.owns(partition));
    if (owned.length === 0 || this.#session === undefined) return;
    try {
      await this.#session.consumer.commitOffsets(
        owned.map(([partition, next]) => ({ topic, partition, offset: String(next) })),
      );
    } catch (error) {
      // Group offsets are only a hint; the next commit corrects them.
      if (!isSessionLost(error)) this.#report(toKafkaError('committing offsets failed', error));
    }
  }

  beyond(partition: number, next: number): number {
    return this.#passed.beyond(partition, next);
  }

  async stop(): Promise<void> {
    if (!this.#stopped.signal.aborted) {
      this.#stopped.abort();
      // Revoke before leaving, so that no other member owns a partition while a handler here still works on it.
      await this.#membership.revokeAll();
      await Promise.all(this.#busy.values());
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const startedMs = this.#clock.steadyMs();
      const error = await this.#live();
      if (this.#clock.steadyMs() - startedMs > LASTING_SESSION_MS) this.#restarts = 0;
      if (signal.aborted) return;
      if (isNameTaken(error)) this.#giveUpName();
      else this.#report(toKafkaError(`consuming ${this.#options.topic} failed`, error));
      await this.#clock.wait(toBackoffMs(this.#restarts++, RESTART_BACKOFF, this.#random), signal);
    }
  }

  /** Runs one kafkajs consumer: ends with a stop, or with the error that crashed it. */
  async #live(): Promise<unknown> {
    const { topic, sessionTimeoutMs, fromBeginning } = this.#options;
    const consumer = this.#createConsumer();
    const session: Session = { consumer, letGo: new Set(), heartbeat: undefined, forgetName: () => undefined };
    const life = new AbortController();
    const ended = this.#listen(session, life.signal);
    const beat = every(
      {
        intervalMs: toHeartbeatIntervalMs(sessionTimeoutMs) / BEATS_PER_HEARTBEAT,
        clock: this.#clock,
        paced: true,
        onError: (error) => this.#report(error),
      },
      () => this.#heartbeat(session),
    );
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning });
      this.#session = session;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE_MAX,
        eachBatch: (payload) => this.#onBatch(session, payload),
      });
      return await ended;
    } catch (error) {
      return error;
    } finally {
      // Not awaited: the last heartbeat may wait for a broker that is gone.
      void beat.stop();
      life.abort();
      this.#session = undefined;
      session.forgetName();
      await this.#membership.revokeAll();
      abandon(session, new AppError('fenced', 'the consumer has ended'));
      await consumer
        .disconnect()
        .catch((error: unknown) => this.#logger.debug({ reason: toMessage(error) }, 'disconnecting failed'));
    }
  }

  #createConsumer(): Consumer {
    const { groupId, sessionTimeoutMs, fetchBytesPerPartitionMax, fetchBytesMin = 1, fetchWaitMaxMs } = this.#options;
    const { roundRobin } = PartitionAssigners;
    const name = this.#groupInstanceId;
    return this.#kafka.consumer({
      groupId,
      partitionAssigners: [name === undefined ? roundRobin : withInstanceId(roundRobin, name)],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
      heartbeatInterval: toHeartbeatIntervalMs(sessionTimeoutMs),
      maxBytesPerPartition: fetchBytesPerPartitionMax,
      maxBytes: FETCH_BYTES_MAX,
      minBytes: fetchBytesMin,
      maxWaitTimeInMs: fetchWaitMaxMs,
      allowAutoTopicCreation: false,
      // We restart ourselves: a new consumer has no state of the failed one.
      retry: { restartOnFailure: async () => false },
    });
  }

  /** Runs the group session; resolves with the error when kafkajs gives up, with undefined at a stop. */
  #listen(session: Session, life: AbortSignal): Promise<unknown> {
    const { topic } = this.#options;
    const { consumer } = session;
    return new Promise((resolve) => {
      const stop = () => void this.#membership.revokeAll().then(() => resolve(undefined));
      this.#stopped.signal.addEventListener('abort', stop, { once: true, signal: life });
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        if (life.aborted) return;
        session.forgetName();
        if (this.#groupInstanceId !== undefined)
          session.forgetName = nameHeartbeats(payload.memberId, this.#groupInstanceId);
        if (!this.#stopped.signal.aborted) this.#membership.assign(payload.memberAssignment[topic] ?? []);
      });
      consumer.on(consumer.events.REBALANCING, () => void this.#membership.revokeAll());
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        void this.#membership.revokeAll();
        abandon(session, payload.error);
        resolve(payload.error);
      });
    });
  }

  #giveUpName(): void {
    const name = this.#groupInstanceId;
    this.#groupInstanceId = undefined;
    this.#report(
      new AppError(
        'fenced',
        `another process has joined ${this.#options.groupId} as ${name}; this one goes on without a name. Every instance needs an INSTANCE_ID of its own`,
      ),
    );
  }

  async #onBatch(session: Session, payload: EachBatchPayload): Promise<void> {
    session.heartbeat = payload.heartbeat;
    this.#delivering++;
    let letGo: (error: unknown) => void = () => undefined;
    try {
      // Not Promise.race with one promise per session: that promise would keep a reaction for every batch ever
      // delivered.
      await new Promise<void>((resolve, reject) => {
        letGo = reject;
        session.letGo.add(letGo);
        this.#deliver(payload).then(resolve, reject);
      });
    } finally {
      session.letGo.delete(letGo);
      this.#delivering--;
    }
  }

  async #deliver({ batch, resolveOffset, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const { partition } = batch;
    await this.#membership.settled;
    const { generation } = this.#membership;
    const isOurs = () => this.#membership.generation === generation && this.#membership.owns(partition);
    if (!isOurs()) return this.#clock.wait(STRAY_WAIT_MS, this.#stopped.signal);
    await this.#busy.get(partition);
    if (!isOurs() || !isRunning() || isStale()) return;
    const delivery = toDelivery(batch);
    const handled = this.#handle(partition, delivery);
    this.#busy.set(
      partition,
      handled.then(() => void this.#busy.delete(partition)),
    );
    // A seek meanwhile takes precedence: kafkajs applies it at the next fetch, after this.
    if (!(await handled) || !isOurs()) return;
    resolveOffset(batch.lastOffset());
    if (!isStale()) this.#pass(partition, delivery);
  }

  /** Reports offsets that have no record for the handler. */
  #pass(partition: number, { passedFrom, next }: Delivery): void {
    if (next <= passedFrom) return;
    this.#passed.add(partition, { from: passedFrom, to: next });
    this.#handlers.onPassed?.(partition, next);
  }

  /** False when the handler failed: the offset stays, so the same records are delivered again. */
  async #handle(partition: number, { records }: Delivery): Promise<boolean> {
    try {
      if (records.length > 0) await this.#handlers.onRecords(partition, records);
      this.#restarts = 0;
      if (this.#failures.size > 0) this.#failures.delete(partition);
      return true;
    } catch (error) {
      this.#report(error);
      const attempt = this.#failures.get(partition) ?? 0;
      this.#failures.set(partition, attempt + 1);
      await this.#clock.wait(toBackoffMs(attempt, RESTART_BACKOFF, this.#random), this.#stopped.signal);
      return false;
    }
  }

  /** Keeps the session alive while handlers work: kafkajs sends heartbeats only between fetches. */
  async #heartbeat(session: Session): Promise<void> {
    if (this.#delivering === 0 || session.heartbeat === undefined) return;
    try {
      await session.heartbeat();
    } catch (error) {
      if (!isSessionLost(error)) return this.#report(toKafkaError('heartbeat failed', error));
      // Revoke in order: the handlers finish their current records first, then kafkajs rejoins.
      await this.#membership.revokeAll();
      abandon(session, error);
    }
  }

  #report(error: unknown): void {
    this.#handlers.onError?.(error instanceof Error ? error : new Error(toMessage(error)));
  }
}

function toHeartbeatIntervalMs(sessionTimeoutMs: number): number {
  return Math.min(HEARTBEAT_INTERVAL_MS_MAX, Math.floor(sessionTimeoutMs / HEARTBEATS_PER_SESSION));
}

function abandon(session: Session, error: unknown): void {
  for (const letGo of session.letGo) letGo(error);
}
