import { SCOPES, type Scope } from '@perennial/access';
import { createTestAccess } from '@perennial/access/testing';
import { AcceptedRecord, type EventRejected } from '@perennial/contracts';
import { type IdentityRules, INITIAL_RULES } from '@perennial/identity';
import type { LogProducer, OutgoingRecord } from '@perennial/kafka';
import { AppError, type Clock, toSha256 } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { type FastifyInstance, listen } from '@perennial/service-host';
import { createMetrics, createSilentLogger, type Logger } from '@perennial/telemetry';
import { createAddressLimit } from '../address-limit.js';
import { BUILT_IN_PLACEHOLDERS, type PlaceholderChanges } from '../domain/placeholder-ids.js';
import { BODIES_BYTES_MAX } from '../http/body-budget.js';
import type { ClockRoutesOptions } from '../http/clock-routes.js';
import type { IngestContext } from '../http/ingest-context.js';
import { createIngestServer } from '../http/server.js';
import type { FindPlan } from '../plan-directory.js';
import { toPlanned } from '../plan-telemetry.js';
import type {
  ClockStore,
  IdentityStore,
  PlaceholderStore,
  PlanStore,
  PlanVersion,
  RuleReaders,
  Source,
  SourceStore,
} from '../ports.js';
import { createPublisher, type PublishLimits } from '../publisher.js';
import type { RecordContext } from '../records.js';
import { createSourceDirectory } from '../source-directory.js';
import { createEvents } from '../telemetry.js';

export const WRITE_KEY = 'pk_test';
export const SLOW_WRITE_KEY = 'pk_slow';
/** Of a server's source, which may report. */
export const REPORTS_WRITE_KEY = 'pk_reports';
export const NOW_MS = Date.parse('2026-05-01T12:00:00.000Z');
export const PARTITIONS = 4;
/** Requests per second of an address without a known write key; the burst is ten times that. */
export const ADDRESS_RATE = 10;

/** A clock that moves only when a test moves it; waits end when it is moved past them, not when it is set. */
export class FakeClock implements Clock {
  #nowMs: number;
  #steadyMs = 0;
  #waits: Array<{ atMs: number; done: () => void }> = [];

  constructor(nowMs = NOW_MS) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  steadyMs(): number {
    return this.#steadyMs;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done, { once: true });
      this.#waits.push({ atMs: this.#steadyMs + ms, done });
    });
  }

  move(ms: number): void {
    this.#nowMs += ms;
    this.#steadyMs += ms;
    const due = this.#waits.filter(({ atMs }) => atMs <= this.#steadyMs);
    this.#waits = this.#waits.filter(({ atMs }) => atMs > this.#steadyMs);
    for (const { done } of due) done();
  }

  /** Simulates setting a host's clock by this much. */
  set(ms: number): void {
    this.#nowMs += ms;
  }
}

/** A producer that keeps the records it gets; `mode` makes it fail or hang. */
export class FakeProducer implements LogProducer {
  readonly sent: OutgoingRecord[] = [];
  mode: 'works' | 'away' | 'hangs' = 'works';
  #hanging: Array<() => void> = [];

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.mode === 'away') throw new AppError('dependency_unavailable', 'Kafka is away', { retriable: true });
    if (this.mode === 'hangs') await new Promise<void>((resolve) => this.#hanging.push(resolve));
    this.sent.push(...records);
  }

  release(): void {
    this.mode = 'works';
    for (const resolve of this.#hanging.splice(0)) resolve();
  }

  async close(): Promise<void> {
    this.release();
  }

  accepted() {
    return this.#of('accepted').map(({ value, key, partition }) => {
      const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
      if (record?.$case !== 'event') throw new Error('not an event');
      return {
        ...record.value,
        properties: JSON.parse(record.value.propertiesJson.toString()),
        key: key?.toString(),
        partition,
      };
    });
  }

  ticks(): Array<{ partition: number; timeMs: number }> {
    return this.#of('accepted').flatMap(({ value, partition }) => {
      const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
      return record?.$case === 'tick' ? [{ partition, timeMs: record.value.timeMs }] : [];
    });
  }

  rejected(): EventRejected[] {
    return this.#of('rejected').map(({ value }) => JSON.parse(String(value)) as EventRejected);
  }

  #of(topic: string): OutgoingRecord[] {
    return this.sent.filter((record) => record.topic === topic);
  }
}

/** Sources in memory; `away` makes it fail, `silent` lets it never answer. */
export class FakeSourceStore implements SourceStore {
  readonly sources = new Map<string, Source>();
  away = false;
  silent = false;
  lookups = 0;

  constructor() {
    this.put(WRITE_KEY, { id: 'src_1', name: 'shop', eventsPerSecondMax: null, currency: null, reports: false });
    this.put(SLOW_WRITE_KEY, { id: 'src_2', name: 'slow', eventsPerSecondMax: 10, currency: 'EUR', reports: false });
    const server = { id: 'src_3', name: 'server', eventsPerSecondMax: null, currency: null, reports: true };
    this.put(REPORTS_WRITE_KEY, server);
  }

  put(writeKey: string, source: Source): void {
    this.sources.set(toSha256(writeKey), source);
  }

  async findByKeyHash(keyHash: string): Promise<Source | undefined> {
    this.lookups++;
    if (this.away) throw new AppError('dependency_unavailable', 'PostgreSQL is away', { retriable: true });
    if (this.silent) return new Promise(() => undefined);
    return this.sources.get(keyHash);
  }
}

/** The operator's changes to placeholder ids in memory. */
export class FakePlaceholderStore implements PlaceholderStore {
  changes: PlaceholderChanges = { added: [], allowed: [] };
  away = false;

  async loadChanges(): Promise<PlaceholderChanges> {
    if (this.away) throw new AppError('dependency_unavailable', 'PostgreSQL is away', { retriable: true });
    return this.changes;
  }
}

/** By which rules processes read, in memory. */
export class FakeRuleReaders implements RuleReaders {
  readonly hashes = new Map<string, string | undefined>();

  async report(instance: string, hash: string | undefined): Promise<void> {
    this.hashes.set(instance, hash);
  }

  async forget(instance: string): Promise<void> {
    this.hashes.delete(instance);
  }

  async listBehind(hash: string): Promise<readonly string[]> {
    return [...this.hashes].filter(([, known]) => known !== hash).map(([instance]) => instance);
  }
}

/** Rules about ids in memory: none were rolled out before `content` is set. */
export class FakeIdentityStore implements IdentityStore {
  content: string | undefined;

  async currentHash(): Promise<string | undefined> {
    return this.content && toSha256(this.content);
  }

  async load(): Promise<string> {
    if (this.content === undefined) throw new AppError('not_found', 'there are no rules');
    return this.content;
  }
}

/** Tracking plans in memory: the newest content of each source. */
export class FakePlanStore implements PlanStore {
  readonly #versions = new Map<string, Array<string | null>>();

  set(sourceId: string, content: string | null): void {
    this.#versions.set(sourceId, [...(this.#versions.get(sourceId) ?? []), content]);
  }

  async listCurrent(): Promise<readonly PlanVersion[]> {
    return [...this.#versions].map(([sourceId, contents]) => {
      const content = contents.at(-1) ?? null;
      return { sourceId, number: contents.length, hash: content === null ? null : toSha256(content) };
    });
  }

  async load(sourceId: string, number: number): Promise<string | undefined> {
    return this.#versions.get(sourceId)?.[number - 1] ?? undefined;
  }
}

/** The driven clock's store in memory. */
export class FakeClockStore implements ClockStore {
  timeMs: number | undefined;

  async loadLogTime(): Promise<number | undefined> {
    return this.timeMs;
  }

  async saveLogTime(timeMs: number): Promise<void> {
    this.timeMs = Math.max(this.timeMs ?? 0, timeMs);
  }
}

export const RECORDS: RecordContext = {
  pseudonymizer: createPseudonymizer('a secret of more than thirty-two characters'),
  acceptedTopic: 'accepted',
  rejectedTopic: 'rejected',
  namespace: 'test',
  partitions: PARTITIONS,
};

/** Telemetry without output. */
export function createSilentEvents() {
  const metrics = createMetrics({ service: 'ingest', namespace: 'test', processMetrics: false });
  return createEvents(createSilentLogger(), metrics);
}

/** The whole of HTTP ingest over fakes. */
export interface IngestHarness {
  readonly server: FastifyInstance;
  readonly producer: FakeProducer;
  readonly store: FakeSourceStore;
  readonly clock: FakeClock;
  listen(): Promise<string>;
  /** The text of /metrics. */
  readMetrics(): Promise<string>;
}

export function createIngestHarness(
  options: {
    clockMode?: IngestContext['clockMode'];
    driver?: ClockRoutesOptions['driver'];
    identity?: IdentityRules;
    limits?: PublishLimits;
    clock?: FakeClock;
    trustedProxies?: number;
    scopes?: readonly Scope[];
    bodiesBytesMax?: number;
    logger?: Logger;
    plans?: FindPlan;
  } = {},
): IngestHarness {
  const { clockMode = 'wall', driver, limits, clock = new FakeClock() } = options;
  const {
    trustedProxies = 0,
    scopes = SCOPES,
    bodiesBytesMax = BODIES_BYTES_MAX,
    logger = createSilentLogger(),
  } = options;
  const producer = new FakeProducer();
  const store = new FakeSourceStore();
  const metrics = createMetrics({ service: 'ingest', namespace: 'test', processMetrics: false });
  const events = createEvents(logger, metrics);
  const ingest: IngestContext = {
    sources: createSourceDirectory(store, clock),
    addresses: createAddressLimit(ADDRESS_RATE, clock),
    bodiesBytesMax,
    publisher: createPublisher(producer, { clock, events, ...(limits && { limits }) }),
    records: RECORDS,
    clockMode,
    clock,
    placeholders: () => BUILT_IN_PLACEHOLDERS,
    identity: () => options.identity ?? INITIAL_RULES,
    plans: options.plans ?? (() => undefined),
    count: events.answered,
    limited: events.limited,
    countIgnored: (sourceId, fields) => events.ignored({ transport: 'http', sourceId }, fields),
    countPlanned: (sourceId, result) => events.planned({ transport: 'http', sourceId }, toPlanned(result)),
  };
  const server = createIngestServer(
    {
      logger,
      metrics,
      metricsAccess: 'open',
      trustedProxies,
      access: createTestAccess(scopes),
      readiness: () => ({ ready: true, reasons: [] }),
    },
    { ingest, driver, lastTickMs: () => undefined, partitions: PARTITIONS, rulesHash: () => undefined },
  );
  return {
    server,
    producer,
    store,
    clock,
    listen: () => listen(server, { host: '127.0.0.1', port: 0 }),
    readMetrics: () => metrics.registry.metrics(),
  };
}

const EVENTUALLY_MS_MAX = 20_000;

/** Runs `check` until it does not throw. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  const deadlineMs = Date.now() + EVENTUALLY_MS_MAX;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
