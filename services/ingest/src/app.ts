import { createAccess, createTokenStore, type GrantStore } from '@perennial/access';
import { toPostgresSchema, toTopic } from '@perennial/contracts';
import type { Log, LogProducer } from '@perennial/kafka';
import { AppError, type Clock, type ReleaseStack, systemClock } from '@perennial/kernel';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import { type App, composeApp, listen, type Opener, openLog, openPool, toReadiness } from '@perennial/service-host';
import { createLogger, createMetrics, type Logger, type Metrics } from '@perennial/telemetry';
import { createClockStore } from './adapters/clock-store.js';
import { createIdentityStore } from './adapters/identity-store.js';
import { createPlaceholderRepository } from './adapters/placeholder-repository.js';
import { createPlanRepository } from './adapters/plan-repository.js';
import { createRuleReaders } from './adapters/rule-readers.js';
import { createSourceRepository } from './adapters/source-repository.js';
import { createAddressLimit } from './address-limit.js';
import { startLogClock } from './clock/start-clock.js';
import type { Ticker } from './clock/ticker.js';
import type { IngestConfig } from './config.js';
import type { PlaceholderIds } from './domain/placeholder-ids.js';
import { BODIES_BYTES_MAX } from './http/body-budget.js';
import type { IngestContext } from './http/ingest-context.js';
import { createIngestServer } from './http/server.js';
import { type IdentityDirectory, type Reader, startIdentityDirectory } from './identity-directory.js';
import {
  type KafkaSource,
  type KafkaSourceOptions,
  OUTCOMES,
  RECEIVED,
  startKafkaSource,
} from './kafka/kafka-source.js';
import { startLagMonitor } from './kafka/lag-monitor.js';
import { startPlaceholderDirectory } from './placeholder-directory.js';
import { type FindPlan, startPlanDirectory } from './plan-directory.js';
import { toPlanned } from './plan-telemetry.js';
import type { ClockStore, IdentityStore, PlaceholderStore, PlanStore, RuleReaders, SourceStore } from './ports.js';
import { createPublisher, type Publisher } from './publisher.js';
import type { RecordContext } from './records.js';
import { createSourceDirectory } from './source-directory.js';
import { createEvents, type IngestEvents } from './telemetry.js';

/** Ids cached with their pseudonyms: some 500 bytes each. */
const PSEUDONYMS_MAX = 50_000;
const POSTGRES_CONNECTIONS_MAX = 4;

/** Dependencies that tests replace. */
export interface IngestOverrides {
  readonly logger?: Logger;
  readonly log?: Log;
  readonly stores?: {
    readonly sources: SourceStore;
    readonly placeholders: PlaceholderStore;
    readonly identity: IdentityStore;
    readonly readers: RuleReaders;
    readonly plans: PlanStore;
    readonly clock: ClockStore;
    readonly tokens: GrantStore;
  };
  readonly clock?: Clock;
}

/** The service, composed but not started. */
export function createApp(config: IngestConfig, overrides: IngestOverrides = {}): App {
  const { namespace, instanceId, logLevel: level, logFile: file } = config;
  const metrics = createMetrics({ service: 'ingest', namespace });
  const logger = overrides.logger ?? createLogger({ service: 'ingest', namespace, instanceId, level, file, metrics });
  return composeApp(logger, (releases) => start(config, { ...overrides, logger, metrics }, releases));
}

/** Acquires in order of dependence; `releases` runs in reverse: stop listening, drain, stop consuming, close. */
async function start(
  config: IngestConfig,
  overrides: IngestOverrides & { readonly logger: Logger; readonly metrics: Metrics },
  releases: ReleaseStack,
): Promise<string> {
  const { namespace, instanceId, clockMode } = config;
  const { logger, metrics, clock = systemClock } = overrides;
  const events = createEvents(logger, metrics);
  const opener = { name: `ingest-${config.instanceId}`, logger, releases };
  const log = overrides.log ?? openLog(opener, config.kafka);
  const stores = overrides.stores ?? openStores(opener, config);
  const topics = { accepted: toTopic(namespace, 'eventAccepted'), received: toTopic(namespace, 'eventReceived') };
  const partitions = await countPartitions(log, topics);
  // One round trip: an unavailable store must fail the start, not the first event.
  await stores.sources.findByKeyHash('');

  // A failed send also fails the records queued behind it, so the transports and the ticks have a producer each.
  const httpProducer = await openProducer('http producer', log, releases);
  const sourceProducer = await openProducer('kafka source producer', log, releases);
  const outcomeProducer = await openProducer('outcome source producer', log, releases);
  const tickProducer = await openProducer('tick producer', log, releases);

  const placeholders = await openPlaceholders(stores.placeholders, { clock, events, releases });
  const reader = { instance: instanceId, readers: stores.readers };
  const rules = await openIdentity(stores.identity, { ...reader, partitions, clock, events, releases });
  const identity = rules.current;
  const plans = await openPlans(stores.plans, { clock, events, releases });
  const records = toRecordContext(config, { topics, partitions });
  const base = { clockMode, placeholders, identity, plans, records };
  const source = { ...base, log, namespace, clock, events, metrics };
  const kafkaSource = await openKafkaSource({ ...source, input: RECEIVED, producer: sourceProducer }, releases);
  const outcomeSource = await openKafkaSource({ ...source, input: OUTCOMES, producer: outcomeProducer }, releases);

  const { ticker, driver } = startLogClock({
    ...{ clockMode, namespace, instanceId, log, topics, partitions, clock, events },
    producer: tickProducer,
    owned: kafkaSource.owned,
    store: stores.clock,
  });
  if (ticker !== undefined) releases.push('ticker', () => ticker.stop());

  const publisher = createPublisher(httpProducer, { clock, events });
  const ingest: IngestContext = {
    sources: createSourceDirectory(stores.sources, clock),
    addresses: createAddressLimit(config.senders.addressRate, clock),
    bodiesBytesMax: BODIES_BYTES_MAX,
    ...base,
    publisher,
    clock,
    count: events.answered,
    limited: events.limited,
    countIgnored: (sourceId, fields) => events.ignored({ transport: 'http', sourceId }, fields),
    countPlanned: (sourceId, result) => events.planned({ transport: 'http', sourceId }, toPlanned(result)),
  };
  let draining = false;
  const readiness = () =>
    toReadiness(listProblems({ draining, ticker, publisher, events, sources: [kafkaSource, outcomeSource] }));
  const access = createAccess(stores.tokens, clock);
  const { metricsAccess } = config.http;
  const server = createIngestServer(
    { logger, metrics, metricsAccess, access, readiness, trustedProxies: config.senders.trustedProxies },
    { ingest, driver, partitions, lastTickMs: () => ticker?.lastTickMs(), rulesHash: rules.hash },
  );
  releases.push('http server', async () => {
    draining = true;
    await server.close();
    await publisher.drain();
  });
  return listen(server, config.http);
}

/** The source, and the measurement of how far it is. */
async function openKafkaSource(options: KafkaSourceOptions, releases: ReleaseStack): Promise<KafkaSource> {
  const { input, log, namespace, clock, events } = options;
  const source = await releases.acquire(
    `source of ${input.topic}`,
    () => startKafkaSource(options),
    (running) => running.stop(),
  );
  const { observe, heldBack } = source;
  const lagMonitor = startLagMonitor({ log, namespace, input, clock, events, observe, heldBack });
  releases.push('lag monitor', () => lagMonitor.stop());
  return source;
}

function openProducer(name: string, log: Log, releases: ReleaseStack): Promise<LogProducer> {
  return releases.acquire(
    name,
    () => log.createProducer(),
    (producer) => producer.close(),
  );
}

async function openPlaceholders(
  store: PlaceholderStore,
  { clock, events, releases }: { clock: Clock; events: IngestEvents; releases: ReleaseStack },
): Promise<() => PlaceholderIds> {
  const { current } = await releases.acquire(
    'placeholder ids',
    () => startPlaceholderDirectory(store, { clock, onError: events.placeholdersUnknown }),
    (directory) => directory.stop(),
  );
  return current;
}

async function openIdentity(
  store: IdentityStore,
  {
    events,
    releases,
    ...options
  }: Reader & {
    partitions: number;
    clock: Clock;
    events: IngestEvents;
    releases: ReleaseStack;
  },
): Promise<IdentityDirectory> {
  return releases.acquire(
    'rules about ids',
    () => startIdentityDirectory(store, { ...options, onError: events.identityUnknown }),
    (directory) => directory.stop(),
  );
}

async function openPlans(
  store: PlanStore,
  { clock, events, releases }: { clock: Clock; events: IngestEvents; releases: ReleaseStack },
): Promise<FindPlan> {
  const { find } = await releases.acquire(
    'tracking plans',
    () => startPlanDirectory(store, { clock, onError: events.plansUnknown }),
    (directory) => directory.stop(),
  );
  return find;
}

function toRecordContext(
  { namespace, secret }: IngestConfig,
  { topics, partitions }: { topics: { accepted: string }; partitions: number },
): RecordContext {
  return {
    pseudonymizer: createCachedPseudonymizer(createPseudonymizer(secret), { entriesMax: PSEUDONYMS_MAX }),
    acceptedTopic: topics.accepted,
    rejectedTopic: toTopic(namespace, 'eventRejected'),
    namespace,
    partitions,
  };
}

function listProblems(state: {
  draining: boolean;
  ticker: Ticker | undefined;
  publisher: Publisher;
  events: IngestEvents;
  sources: readonly KafkaSource[];
}): string[] {
  const { draining, ticker, publisher, events, sources } = state;
  events.inFlightMeasured(publisher.inFlight().records);
  return [
    ...(draining ? ['draining'] : []),
    ...(ticker?.problems() ?? []),
    ...(publisher.failing() ? ['Kafka does not acknowledge'] : []),
    ...sources.flatMap((source) => source.problems()),
  ];
}

function openStores(opener: Opener, config: IngestConfig): NonNullable<IngestOverrides['stores']> {
  const schema = toPostgresSchema(config.namespace, 'ingest');
  const pool = openPool(opener, { ...config.postgres, connectionsMax: POSTGRES_CONNECTIONS_MAX });
  return {
    sources: createSourceRepository(pool, schema),
    placeholders: createPlaceholderRepository(pool, schema),
    identity: createIdentityStore(pool, { schema, namespace: config.namespace, artifacts: config.artifacts }),
    readers: createRuleReaders(pool, schema),
    plans: createPlanRepository(pool, schema),
    clock: createClockStore(pool, schema),
    tokens: createTokenStore(pool, config.namespace),
  };
}

/** Partition count of `event.accepted`. `event.received` must have the same, since its owners write the ticks. */
async function countPartitions(log: Log, topics: { accepted: string; received: string }): Promise<number> {
  const accepted = (await log.offsets(topics.accepted)).size;
  const received = (await log.offsets(topics.received)).size;
  if (accepted === received) return accepted;
  throw new AppError(
    'dependency_misconfigured',
    `${topics.accepted} has ${accepted} partitions and ${topics.received} has ${received}: they must have the same number`,
  );
}
