import { openBlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { openSnapshotSettings, startProcessor } from '@perennial/keyed-processor';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import {
  type App,
  composeApp,
  createHttpServer,
  listen,
  openAccess,
  openLog,
  openPool,
  openRedis,
  toReadiness,
} from '@perennial/service-host';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createRedisProfileReader } from './adapters/redis-profile-reader.js';
import { startArchiver } from './archive/archiver.js';
import { EventArchive } from './archive/event-archive.js';
import type { FeatureStoreConfig } from './config.js';
import { createEvents } from './events.js';
import { addFeatureRoutes } from './http/feature-routes.js';
import { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';

/** Profile keys remembered, so that a hot profile costs no HMAC. */
const PSEUDONYMS_CACHED_MAX = 50_000;
const POSTGRES_CONNECTIONS_MAX = 2;

/** Composes the service: Kafka and Redis, the keyed processor over `event.accepted`, then HTTP. */
export function createApp(config: FeatureStoreConfig): App {
  const { namespace, instanceId, logLevel } = config;
  const service = PROCESSOR_NAME;
  const logger = createLogger({ service, namespace, instanceId, level: logLevel });

  return composeApp(logger, async (releases) => {
    const metrics = createMetrics({ service, namespace });
    const events = createEvents(metrics);
    const opener = { name: `${service}-${instanceId}`, logger, releases };
    const log = openLog(opener, config.kafka);
    const partitions = (await log.offsets(toTopic(namespace, 'eventAccepted'))).size;
    const redis = await openRedis(opener, config.redis);
    // A connection of its own: a read must not wait behind a commit of a megabyte.
    const readRedis = await openRedis({ ...opener, name: `${service}-reader-${instanceId}` }, config.redis);
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const definition = createFeatureProcessor({ namespace, events, specs });
    const snapshots = await openSnapshotSettings(config.snapshots);
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics, snapshots }),
      (running) => running.stop(),
    );
    if (config.archive.kind === 'off') logger.warn('the event archive is off: what the log forgets is gone');
    else {
      const archive = new EventArchive(await openBlobStore(config.archive), namespace);
      const limits = { windowMs: config.archive.windowMs };
      await releases.acquire(
        'event archive',
        () => startArchiver({ archive, namespace, log, logger, metrics, limits }),
        (running) => running.stop(),
      );
    }
    // The archive is not part of readiness: the log holds what it has not taken yet.
    // PostgreSQL is asked for tokens not seen before, and for nothing else.
    const pool = openPool(opener, { ...config.postgres, connectionsMax: POSTGRES_CONNECTIONS_MAX });
    const server = createHttpServer({
      logger,
      metrics,
      metricsAccess: config.http.metricsAccess,
      access: openAccess(pool, namespace),
      readiness: () => toReadiness(processor.problems()),
    });
    addFeatureRoutes(server, {
      events,
      specs,
      reader: createRedisProfileReader(readRedis, { namespace, partitions }),
      pseudonymizer: createCachedPseudonymizer(createPseudonymizer(config.secret), {
        entriesMax: PSEUDONYMS_CACHED_MAX,
      }),
    });
    releases.push('http', () => server.close());
    return listen(server, config.http);
  });
}
