import { type BlobStore, openBlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import { type Archiver, EventArchive, startArchiver } from '@perennial/event-archive';
import { createStoredStates } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import { createStateReader, readNextOffset, readPartitions, readStatePage } from '@perennial/keyed-processor';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import {
  createJobLease,
  defineProcessorApp,
  type OpenRebuild,
  type ProcessorApp,
  type ServiceContext,
  type ServiceRoutes,
} from '@perennial/processor-host';
import { openRedis } from '@perennial/service-host';
import { createMetrics } from '@perennial/telemetry';
import { createAuditRecords } from './adapters/audit-records.js';
import { createBaselineStore } from './adapters/baseline-store.js';
import { createAuditTelemetry } from './audit/audit-telemetry.js';
import { startLiveAudit } from './audit/live-audit.js';
import type { FeatureStoreConfig } from './config.js';
import { createServedStates } from './domain/profile-state.js';
import { DriftWatch } from './drift/drift-watch.js';
import { startFillRunner } from './fill/fill-runner.js';
import { createFillTelemetry } from './fill/fill-telemetry.js';
import { addFeatureRoutes } from './http/feature-routes.js';
import { addIdentityRoutes } from './http/identity-routes.js';
import { addRetractionRoutes } from './http/retraction-routes.js';
import { addTagRoutes } from './http/tag-routes.js';
import type { StoredProfile } from './identity/stored-profile.js';
import { createParts } from './parts.js';
import { PROCESSOR_NAME } from './processor.js';
import { createPartitionReader } from './retract/read-partition.js';
import { Retractor } from './retract/retractor.js';
import { createDeclaredTags } from './tags/declared-tags.js';
import { TagService } from './tags/tag-service.js';
import { startUnmergeRunner } from './unmerge/unmerge-runner.js';
import { createUnmergeTelemetry } from './unmerge/unmerge-telemetry.js';

/** How long a job stands still after the process that ran it was killed. */
const LEASE_MS = 30_000;
/** Share of one thread that looking for an event to take back may have. */
const RETRACTION_DUTY_SHARE_MAX = 0.5;
/** Profile keys cached, so that an active profile costs no HMAC. */
const PSEUDONYMS_CACHED_MAX = 50_000;
/** PostgreSQL is used only to look up tokens that are not cached. */
const POSTGRES_CONNECTIONS_MAX = 2;

/** The service: the keyed processor over `event.accepted`, the archive beside it, then HTTP. */
export const app: ProcessorApp<FeatureStoreConfig> = defineProcessorApp({
  name: PROCESSOR_NAME,
  postgresConnectionsMax: POSTGRES_CONNECTIONS_MAX,
  createParts,
  openRoutes,
});

export interface FeatureStoreRebuild extends OpenRebuild {
  /** Source of the pipeline's records. */
  readonly archive: EventArchive;
}

/** Definition of this service for a rebuild. Throws `config_invalid` when the archive is off. */
export async function openRebuild(config: FeatureStoreConfig): Promise<FeatureStoreRebuild> {
  if (config.archive.kind === 'off')
    throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: there is nothing to rebuild from');
  const archive = new EventArchive(await openBlobStore(config.archive), config.namespace);
  return { archive, ...(await app.openRebuild(config)) };
}

type Context = ServiceContext<FeatureStoreConfig>;
type Parts = ReturnType<typeof createParts>;
type Redis = Awaited<ReturnType<typeof openRedis>>;

async function openRoutes(
  context: Context,
  { definition, artifacts, telemetry, specs }: Parts,
): Promise<ServiceRoutes> {
  const { config, namespace, opener, partitions } = context;
  const archive = await openArchive(context);
  const archiver = archive && (await openArchiver(context, archive));
  // A connection of its own: a read must not wait behind a commit of a megabyte.
  const name = `${PROCESSOR_NAME}-reader-${config.instanceId}`;
  const redis = await openRedis({ ...opener, name }, config.redis);
  const { loadAll: loadSpecs, rates: loadRates, identity: loadIdentity, fills } = artifacts;
  const readBy = (decode: (bytes: Buffer) => StoredProfile) =>
    createStateReader(redis, { namespace, processor: PROCESSOR_NAME, partitions, decode, refresh: loadSpecs });
  const readStates = readBy(createStoredStates(createServedStates(specs)).decode);
  const pseudonymizer = createCachedPseudonymizer(createPseudonymizer(config.secret), {
    entriesMax: PSEUDONYMS_CACHED_MAX,
  });
  if (archive !== undefined) {
    await openFillRunner(context, { definition, artifacts, specs, archive, redis });
    await openLiveAudit(context, { archive, redis });
    await openUnmergeRunner(context, { archive, redis, readStates: readBy(definition.codec.decode) });
  }
  const producer = await context.log.createProducer();
  const loadDeclared = createDeclaredTags(context.artifactStore);
  const positions = {
    end: async (partition: number) =>
      must((await context.log.offsets(toTopic(namespace, 'eventAccepted'))).get(partition), 'a partition').high,
    applied: (partition: number) => readNextOffset(redis, { namespace, processor: PROCESSOR_NAME, partition }),
  };
  const tags = new TagService({ namespace, partitions, readStates, pseudonymizer, loadDeclared, producer, positions });
  const retractor = await openRetractor(context, { archive: archive?.archive, readStates });
  const routes = { telemetry, specs, loadSpecs, loadRates, loadIdentity, fills, readStates, pseudonymizer, retractor };
  return {
    addTo: (server) => {
      addFeatureRoutes(server, routes);
      addIdentityRoutes(server, routes);
      addRetractionRoutes(server, routes);
      addTagRoutes(server, tags);
    },
    problems: () => archiver?.problems() ?? [],
  };
}

interface OpenArchive {
  readonly archive: EventArchive;
  readonly blobs: BlobStore;
}

/** Undefined when the archive is off. */
async function openArchive({ config, namespace, logger }: Context): Promise<OpenArchive | undefined> {
  if (config.archive.kind === 'off') {
    logger.warn('event archive is off: events that the log deletes are not kept, and no feature spec can be filled');
    return undefined;
  }
  const blobs = await openBlobStore(config.archive);
  return { archive: new EventArchive(blobs, namespace), blobs };
}

function openArchiver(context: Context, { archive }: OpenArchive): Promise<Archiver> {
  const { config, namespace, opener, log, logger, metrics } = context;
  const limits = config.archive.kind === 'off' ? {} : { windowMs: config.archive.windowMs };
  return opener.releases.acquire(
    'event archive',
    () => startArchiver({ archive, namespace, log, logger, metrics, limits }),
    (running) => running.stop(),
  );
}

/** Fills a feature spec in the background; nothing depends on it. */
async function openFillRunner(
  context: Context,
  {
    archive: { archive, blobs },
    redis,
    ...parts
  }: Pick<Parts, 'definition' | 'artifacts' | 'specs'> & { readonly archive: OpenArchive; readonly redis: Redis },
): Promise<void> {
  const { namespace, partitions, opener, log, logger, metrics, artifactStore: store } = context;
  const at = { namespace, processor: PROCESSOR_NAME, partitions };
  const producer = await log.createProducer();
  await opener.releases.acquire(
    'feature fill',
    async () =>
      startFillRunner({
        ...parts,
        namespace,
        store,
        archive,
        blobs,
        lease: createJobLease(redis, { namespace, job: 'feature-fill', leaseMs: LEASE_MS }),
        readInForce: async () => (await readPartitions(redis, at)).map(({ inForce }) => inForce),
        send: (records) => producer.send(records),
        telemetry: createFillTelemetry(logger, metrics),
      }),
    (running) => running.stop(),
  );
}

/** A processor for jobs that fold archived records again: what it counts is in no metric and no log, and in no cache of the service's own. */
function createUncountedParts(context: Context): Parts {
  const { namespace } = context;
  return createParts({
    ...context,
    logger: undefined,
    metrics: createMetrics({ service: PROCESSOR_NAME, namespace, processMetrics: false }),
  });
}

/** Takes events back when somebody asks for it. */
async function openRetractor(
  context: Context,
  {
    archive,
    readStates,
  }: {
    readonly archive: EventArchive | undefined;
    readonly readStates: ReturnType<typeof createStateReader<StoredProfile>>;
  },
): Promise<Retractor> {
  const { namespace, partitions, log } = context;
  const { definition, artifacts, specs } = createUncountedParts(context);
  return new Retractor({
    namespace,
    partitions,
    definition,
    specs,
    loadSpecs: artifacts.loadAll,
    readPartition: createPartitionReader({ namespace, log, archive, dutyShareMax: RETRACTION_DUTY_SHARE_MAX }),
    readStates,
    producer: await log.createProducer(),
  });
}

/** Compares what is served with the archive in the background; nothing depends on it. */
async function openLiveAudit(
  context: Context,
  { archive: { archive, blobs }, redis }: { readonly archive: OpenArchive; readonly redis: Redis },
): Promise<void> {
  const { namespace, partitions, opener, logger } = context;
  const { definition, artifacts, specs } = createUncountedParts(context);
  await opener.releases.acquire(
    'feature audit',
    async () =>
      startLiveAudit({
        definition,
        specs,
        loadSpecs: artifacts.loadAll,
        loadRates: artifacts.rates,
        fills: artifacts.fills,
        decode: definition.codec.decode,
        partitions,
        archive,
        readPage: (at) => readStatePage(redis, { namespace, processor: PROCESSOR_NAME, ...at }),
        lease: createJobLease(redis, { namespace, job: 'feature-audit', leaseMs: LEASE_MS }),
        records: createAuditRecords(redis, namespace),
        telemetry: createAuditTelemetry(logger, context.metrics),
        drift: new DriftWatch(context.metrics),
        loadBaseline: createBaselineStore(blobs, namespace).load,
      }),
    (running) => running.stop(),
  );
}

/** Rebuilds profiles that are parted, in the background; until then they stay joined. */
async function openUnmergeRunner(
  context: Context,
  {
    archive: { archive },
    redis,
    readStates,
  }: {
    readonly archive: OpenArchive;
    readonly redis: Redis;
    readonly readStates: ReturnType<typeof createStateReader<StoredProfile>>;
  },
): Promise<void> {
  const { namespace, partitions, opener, log, logger, artifactStore: store } = context;
  const at = { namespace, processor: PROCESSOR_NAME, partitions };
  const { definition, artifacts } = createUncountedParts(context);
  const producer = await log.createProducer();
  await opener.releases.acquire(
    'unmerges',
    async () =>
      startUnmergeRunner({
        definition,
        artifacts,
        readStates,
        namespace,
        partitions,
        store,
        archive,
        lease: createJobLease(redis, { namespace, job: 'unmerge', leaseMs: LEASE_MS }),
        readInForce: async () => (await readPartitions(redis, at)).map(({ inForce }) => inForce),
        send: (records) => producer.send(records),
        telemetry: createUnmergeTelemetry(logger, context.metrics),
      }),
    (running) => running.stop(),
  );
}
