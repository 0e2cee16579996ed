import { AppError, toMessage, withLimit } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { Kafka, Message, Producer } from 'kafkajs';
import { toKafkaError } from './kafkajs-client.js';
import type { LogProducer, OutgoingRecord } from './log.js';
import { createSendQueue, type Request, sizeOfRecord } from './send-queue.js';

/** Limits of one producer. */
export interface ProducerLimits {
  /**
   * Size of one request, and so of each batch in it: kafkajs does not split, and the broker's `message.max.bytes` is 1
   * MiB by default.
   */
  readonly requestBytesMax: number;
  /** kafkajs groups a partition's records in quadratic time: for 1,000 records that is well below a millisecond. */
  readonly requestRecordsMax: number;
  /** Bytes waiting to be sent; above this a send fails at once. */
  readonly pendingBytesMax: number;
  /** Timeout of a request; one that is not acknowledged by then has failed, but may have been written. */
  readonly sendTimeoutMs: number;
}

export const PRODUCER_LIMITS: ProducerLimits = {
  requestBytesMax: 950_000,
  requestRecordsMax: 1_000,
  pendingBytesMax: 64 * 1_048_576,
  sendTimeoutMs: 10_000,
};

/**
 * kafkajs's own retries keep the producer id and so write once; about 3 s in total, so that they end before the
 * timeout.
 */
const RETRY = { retries: 8, initialRetryTime: 50, maxRetryTime: 500 };

/**
 * An idempotent producer with one request in flight. Records that wait while a request is in flight go into the next
 * one. When a request fails, all waiting sends fail with it: otherwise a later record of a partition could be written
 * before the earlier one is retried. The kafkajs producer is then discarded: it reverts its sequence numbers on
 * failure, so its next request, with other content, would be acknowledged as a duplicate and lost.
 */
export class KafkajsProducer implements LogProducer {
  readonly #kafka: Kafka;
  readonly #limits: ProducerLimits;
  readonly #logger: Logger;
  readonly #queue;
  #producer: Promise<Producer> | undefined;
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(kafka: Kafka, logger: Logger, limits: ProducerLimits) {
    this.#kafka = kafka;
    this.#logger = logger;
    this.#limits = limits;
    this.#queue = createSendQueue(limits);
  }

  /** Connects before the first send, so that the first send is not delayed; failures are reported at the send. */
  warmUp(): void {
    this.#connect().catch(() => undefined);
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.#closed) return Promise.reject(new AppError('dependency_unavailable', 'the producer is closed'));
    let bytes = 0;
    for (const record of records) {
      const size = sizeOfRecord(record);
      if (size > this.#limits.requestBytesMax)
        return Promise.reject(toTooLarge(record, size, this.#limits.requestBytesMax));
      bytes += size;
    }
    if (this.#queue.bytes > 0 && this.#queue.bytes + bytes > this.#limits.pendingBytesMax) {
      const message = `${this.#queue.bytes} bytes already wait to be sent`;
      return Promise.reject(new AppError('dependency_unavailable', message, { retriable: true }));
    }
    const sent = this.#queue.push(records, bytes);
    this.#draining ??= this.#drain();
    return sent;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.then(
      (open) => open.disconnect(),
      () => undefined,
    );
  }

  async #drain(): Promise<void> {
    // Callers resumed by the same I/O event get into the same request.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let request = this.#queue.take(); request !== undefined; request = this.#queue.take()) {
      try {
        await this.#sendRequest(request);
        request.succeed();
      } catch (error) {
        this.#discard();
        request.fail(toKafkaError('sending failed', error));
      }
    }
    this.#draining = undefined;
  }

  async #sendRequest(request: Request): Promise<void> {
    const topicMessages: Array<{ topic: string; messages: Message[] }> = [];
    // Our records have the fields of kafkajs's messages, and kafkajs only reads them, so no copy is needed.
    for (const [topic, records] of request.byTopic) topicMessages.push({ topic, messages: records as Message[] });
    const { sendTimeoutMs: ms } = this.#limits;
    await withLimit({ ms, message: 'no acknowledgement in time', code: 'dependency_unavailable' }, async () => {
      const producer = await this.#connect();
      await producer.sendBatch({ acks: -1, topicMessages });
    });
  }

  #connect(): Promise<Producer> {
    this.#producer ??= this.#open();
    return this.#producer;
  }

  async #open(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    await producer.connect();
    return producer;
  }

  #discard(): void {
    const failed = this.#producer;
    this.#producer = undefined;
    failed
      ?.then((producer) => producer.disconnect())
      .catch((error: unknown) => this.#logger.debug({ reason: toMessage(error) }, 'closing a failed producer failed'));
  }
}

function toTooLarge(record: OutgoingRecord, size: number, limit: number): AppError {
  return new AppError('limit_exceeded', `a record of ${size} bytes for ${record.topic} is over the limit of ${limit}`);
}
