import { createRegistry } from '@perennial/artifacts';
import { toConsumerGroup, toPostgresSchema, toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { openSnapshotSettings, startProcessor } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { startProjection } from '@perennial/projection';
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
import type { ScoringConfig } from './config.js';
import { createContents } from './contents.js';
import { createScoringDefinition, PROCESSOR_NAME } from './definition.js';
import { createScoringEvents } from './events.js';
import { addScoringRoutes } from './http/routes.js';
import { createProfileReader } from './profile-reader.js';
import { createTransitionStore } from './transition-store.js';

/** The history's transactions, HTTP queries and loads of contents: never many at once. */
const POSTGRES_CONNECTIONS_MAX = 4;
const HISTORY_NAME = 'scoring-transitions';

/** Composes the service: the keyed processor over `feature.updated`, the history behind `stage.changed`, then HTTP. */
export function createApp(config: ScoringConfig): App {
  const { namespace, instanceId, logLevel } = config;
  const service = PROCESSOR_NAME;
  const logger = createLogger({ service, namespace, instanceId, level: logLevel });

  return composeApp(logger, async (releases) => {
    const metrics = createMetrics({ service, namespace });
    const events = createScoringEvents(logger, metrics);
    const pseudonymizer = createPseudonymizer(config.secret);
    const schema = toPostgresSchema(namespace, service);
    const opener = { name: `${service}-${instanceId}`, logger, releases };
    const log = openLog(opener, config.kafka);
    const topic = toTopic(namespace, 'stageChanged');
    const partitions = (await log.offsets(topic)).size;
    const redis = await openRedis(opener, config.redis);
    const pool = openPool(opener, { ...config.postgres, connectionsMax: POSTGRES_CONNECTIONS_MAX });
    const registry = createRegistry(pool, { schema });
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const contents = createContents({
      load: (hash) => registry.load(hash),
      specs,
      providers: config.providers,
      onModelLoaded: events.modelLoaded,
      onConditionError: events.conditionFailed,
    });
    const definition = createScoringDefinition({ namespace, contents, specs, pseudonymizer, events });
    const snapshots = await openSnapshotSettings(config.snapshots);
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics, snapshots }),
      (running) => running.stop(),
    );
    const transitions = createTransitionStore(pool, { schema, events });
    const groupId = toConsumerGroup(namespace, HISTORY_NAME);
    const projection = await releases.acquire(
      'history',
      () => startProjection({ log, pool, schema, groupId, topic, insert: transitions.insert, logger, metrics }),
      (running) => running.stop(),
    );
    // The history is not part of readiness: PostgreSQL away leaves it behind, and the hot path alone.
    const server = createHttpServer({
      logger,
      metrics,
      metricsAccess: config.http.metricsAccess,
      access: openAccess(pool, namespace),
      readiness: () => toReadiness(processor.problems()),
    });
    const readProfile = createProfileReader(redis, { namespace, partitions, specs });
    addScoringRoutes(server, {
      pseudonymizer,
      readProfile,
      loadManifest: contents.manifest,
      transitions,
      lag: projection.lag,
    });
    releases.push('http', () => server.close());
    return listen(server, config.http);
  });
}
