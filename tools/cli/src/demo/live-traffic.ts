import { type ActionDecided, toTopic } from '@perennial/contracts';
import type { Log, LogConsumer } from '@perennial/kafka';
import { type Clock, createRandomToken, createSeededRandom, systemClock } from '@perennial/kernel';
import { LatencyMeter } from './latency.js';

const TRAFFIC_LIMITS = {
  requestsInFlightMax: 64,
  requestTimeoutMs: 10_000,
  /** Longest wait for actions after the last event. */
  tailMs: 2_000,
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 1 << 20,
  fetchWaitMaxMs: 5,
} as const;

/** A minute of event time a second: the traffic stays within the hour after the last tick. */
const EVENT_TIME_PACE = 60;

export interface TrafficOptions {
  readonly log: Log;
  readonly namespace: string;
  readonly ingestUrl: string;
  readonly writeKey: string;
  /** Event time of the first event; the log's time. */
  readonly startMs: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Customers of the history, who return. */
  readonly knownUsers: readonly string[];
  readonly onProgress?: (progress: { sent: number; actions: number; secondsLeft: number }) => void;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
}

export interface TrafficResult {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null; readonly count: number };
}

/**
 * Some seconds of a shop's live traffic over HTTP: first purchases of new customers, returns of known ones, product
 * views, and one event in fifty sent twice, as SDKs do after a timeout. Measures from each answer 200 until a consumer
 * in this process sees the action on `action.decided`.
 */
export async function runTraffic(options: TrafficOptions): Promise<TrafficResult> {
  const { clock = systemClock, seconds, eventsPerSecond } = options;
  const meter = new LatencyMeter();
  let actions = 0;
  const consumer = await watchActions(options, (userId) => {
    actions++;
    meter.decided(userId, performance.now());
  });
  const counts = { sent: 0, answered: 0, failed: 0 };
  const inFlight = new Set<Promise<void>>();
  try {
    const create = createEvents(options);
    const startMs = clock.now();
    const total = seconds * eventsPerSecond;
    for (let number = 0; number < total && !options.signal?.aborted; number++) {
      const dueMs = startMs + (number * 1000) / eventsPerSecond;
      if (dueMs > clock.now()) await clock.wait(dueMs - clock.now(), options.signal);
      if (inFlight.size >= TRAFFIC_LIMITS.requestsInFlightMax) await Promise.race(inFlight);
      const request = deliver(options, create(number), { meter, counts }).finally(() => inFlight.delete(request));
      inFlight.add(request);
      if (number % eventsPerSecond === 0) {
        options.onProgress?.({ sent: counts.sent, actions, secondsLeft: seconds - number / eventsPerSecond });
      }
    }
    await Promise.all(inFlight);
    await clock.wait(TRAFFIC_LIMITS.tailMs, options.signal);
  } finally {
    await consumer.stop();
  }
  return { ...counts, latencyMs: meter.summary() };
}

interface TrafficEvent {
  readonly userId: string;
  readonly json: string;
  /** How often it is sent. */
  readonly copies: number;
}

function createEvents({ startMs, knownUsers, eventsPerSecond }: TrafficOptions): (number: number) => TrafficEvent {
  const random = createSeededRandom(startMs % 2 ** 32);
  const run = createRandomToken().slice(0, 6);
  return (number) => {
    const isNew = knownUsers.length === 0 || number % 2 === 0;
    const known = knownUsers[Math.floor(random() * knownUsers.length)];
    const userId = isNew || known === undefined ? `demo-${run}-${number}` : known;
    const buys = isNew || random() < 0.4;
    const messageId = `demo-${run}-${number}`;
    const product = { product_id: `cd-${Math.floor(random() * 200)}`, quantity: 1, price: 14.99 };
    const event = {
      type: 'track',
      messageId,
      userId,
      timestamp: new Date(startMs + Math.round((number * 1000 * EVENT_TIME_PACE) / eventsPerSecond)).toISOString(),
      event: buys ? 'Order Completed' : 'Product Viewed',
      properties: buys ? { order_id: messageId, revenue: 14.99, products: [product] } : product,
    };
    return { userId, json: JSON.stringify(event), copies: number % 50 === 49 ? 2 : 1 };
  };
}

async function deliver(
  { ingestUrl, writeKey }: TrafficOptions,
  event: TrafficEvent,
  { meter, counts }: { meter: LatencyMeter; counts: { sent: number; answered: number; failed: number } },
): Promise<void> {
  meter.expect(event.userId);
  for (let copy = 0; copy < event.copies; copy++) {
    counts.sent++;
    try {
      const response = await fetch(new URL('/v1/track', ingestUrl), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
        },
        body: event.json,
        signal: AbortSignal.timeout(TRAFFIC_LIMITS.requestTimeoutMs),
      });
      const answeredMs = performance.now();
      await response.text();
      if (response.status !== 200) counts.failed++;
      else {
        counts.answered++;
        meter.acked(event.userId, answeredMs);
      }
    } catch {
      // Counted, and shown in the summary: one lost request must not end the demo.
      counts.failed++;
    }
  }
}

/** Calls back for each action from now on; resolves when every partition is watched. */
async function watchActions(
  { log, namespace }: TrafficOptions,
  onAction: (userId: string) => void,
): Promise<LogConsumer> {
  const topic = toTopic(namespace, 'actionDecided');
  const ends = await log.offsets(topic);
  const assigned = new Set<number>();
  let watched: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    watched = resolve;
  });
  let consumer: LogConsumer | undefined;
  const seekEnds = (partitions: Iterable<number>): void => {
    for (const partition of partitions) consumer?.seek(partition, ends.get(partition)?.high ?? 0);
  };
  consumer = await log.startConsumer(
    {
      ...TRAFFIC_LIMITS,
      groupId: `perennial.${namespace}.demo-watch-${createRandomToken()}`,
      topic,
      fromBeginning: true,
    },
    {
      onAssigned: (partitions) => {
        for (const partition of partitions) assigned.add(partition);
        seekEnds(partitions);
        if (assigned.size >= ends.size) watched();
      },
      onRevoked: () => undefined,
      onRecords: async (_partition, records) => {
        for (const { value } of records) {
          const { userId } = JSON.parse(value?.toString('utf8') ?? '{}') as Partial<ActionDecided>;
          if (typeof userId === 'string') onAction(userId);
        }
      },
    },
  );
  seekEnds(assigned);
  await ready;
  return consumer;
}
