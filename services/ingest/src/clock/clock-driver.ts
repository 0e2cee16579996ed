import type { Log, LogProducer, OutgoingRecord } from '@perennial/kafka';
import { AppError, type Clock, Mutex } from '@perennial/kernel';
import { planTicks } from '../domain/plan-ticks.js';
import type { ClockStore } from '../ports.js';
import { toTickRecord } from '../records.js';

const CLOCK_DRIVER_LIMITS = {
  /** Timeout for the Kafka source to pass the offsets that the caller names. */
  positionsTimeoutMs: 60_000,
  positionsPollMs: 20,
  /** Tick records per send. */
  recordsPerSendMax: 2_000,
  /** Maximum waiting callers. */
  waitingMax: 10,
} as const;

export interface Advance {
  readonly from: number | undefined;
  readonly to: number;
  readonly stepMs: number;
  /** Next offsets of `event.received`, by partition, that must be ingested first. */
  readonly received: ReadonlyMap<number, number>;
}

/** Moves log time in a namespace where events bring their own time. */
export interface ClockDriver {
  logTime(): Promise<number | undefined>;
  /** Writes ticks up to `to` on every partition, after the received events; resolves to log time once acknowledged. */
  advance(advance: Advance): Promise<number>;
}

export interface ClockDriverOptions {
  readonly log: Log;
  readonly producer: LogProducer;
  readonly store: ClockStore;
  readonly acceptedTopic: string;
  readonly receivedTopic: string;
  readonly receivedGroup: string;
  readonly partitions: number;
  readonly clock: Clock;
}

export function createClockDriver(options: ClockDriverOptions): ClockDriver {
  const { store, producer } = options;
  const mutex = new Mutex();
  let waiting = 0;

  async function run(advance: Advance): Promise<number> {
    await waitForPositions(options, advance.received);
    const last = await store.loadLogTime();
    // Stored only after the acknowledgement, and after every send. After a crash, ticks that were not stored are sent
    // again; repeated ticks change nothing, since log time is the highest tick so far.
    for (const { records, timeMs } of toSends(options, planTicks({ ...advance, last }))) {
      await producer.send(records);
      await store.saveLogTime(timeMs);
    }
    return Math.max(advance.to, last ?? advance.to);
  }

  return {
    logTime: () => store.loadLogTime(),
    async advance(advance) {
      if (waiting >= CLOCK_DRIVER_LIMITS.waitingMax) {
        throw new AppError('resource_exhausted', 'too many callers move the clock', { retriable: true });
      }
      waiting++;
      try {
        return await mutex.run(() => run(advance));
      } finally {
        waiting--;
      }
    },
  };
}

function* toSends(
  { acceptedTopic, partitions }: ClockDriverOptions,
  times: Iterable<number>,
): Generator<{ records: OutgoingRecord[]; timeMs: number }> {
  let records: OutgoingRecord[] = [];
  let timeMs = 0;
  for (timeMs of times) {
    for (let partition = 0; partition < partitions; partition++) {
      records.push(toTickRecord(timeMs, { topic: acceptedTopic, partition }));
    }
    if (records.length < CLOCK_DRIVER_LIMITS.recordsPerSendMax) continue;
    yield { records, timeMs };
    records = [];
  }
  if (records.length > 0) yield { records, timeMs };
}

async function waitForPositions(options: ClockDriverOptions, received: ReadonlyMap<number, number>): Promise<void> {
  if (received.size === 0) return;
  const { log, receivedGroup, receivedTopic, clock } = options;
  const { positionsTimeoutMs, positionsPollMs } = CLOCK_DRIVER_LIMITS;
  const deadlineMs = clock.steadyMs() + positionsTimeoutMs;
  for (;;) {
    // The group's offsets, not this instance's: other instances own the other partitions.
    const committed = await log.groupOffsets(receivedGroup, receivedTopic);
    const behind = [...received].find(([partition, next]) => (committed.get(partition) ?? 0) < next);
    if (behind === undefined) return;
    if (clock.steadyMs() >= deadlineMs) {
      const message = `partition ${behind[0]} of ${receivedTopic} is not taken in up to ${behind[1]} yet`;
      throw new AppError('timeout', message, { retriable: true });
    }
    await clock.wait(positionsPollMs);
  }
}
