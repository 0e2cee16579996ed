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
import { createLedger } from './adapters/ledger.js';
import type { ActionConfig } from './config.js';
import { createEvents } from './events.js';
import { addActionRoutes } from './http/routes.js';
import { createManifests } from './manifests.js';
import { createActionProcessor, PROCESSOR_NAME } from './pipeline.js';
import { createPolicies } from './policies.js';

/** Registry reads, the ledger's transactions (one a partition at a time) and HTTP queries share these. */
const POSTGRES_CONNECTIONS_MAX = 4;
const LEDGER_NAME = 'action-ledger';

/** Composes the service: the keyed processor over `score.computed`, the ledger behind `action.decided`, then HTTP. */
export function createApp(config: ActionConfig): App {
  const { namespace, instanceId, logLevel } = config;
  const service = PROCESSOR_NAME;
  const logger = createLogger({ service, namespace, instanceId, level: logLevel });

  return composeApp(logger, async (releases) => {
    const metrics = createMetrics({ service, namespace });
    const events = createEvents(logger, metrics);
    const pseudonymizer = createPseudonymizer(config.secret);
    const schema = toPostgresSchema(namespace, service);
    const opener = { name: `${service}-${instanceId}`, logger, releases };
    const log = openLog(opener, config.kafka);
    const redis = await openRedis(opener, config.redis);
    const pool = openPool(opener, { ...config.postgres, connectionsMax: POSTGRES_CONNECTIONS_MAX });
    const registry = createRegistry(pool, { schema });
    const ledger = createLedger(pool, schema);
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const policies = createPolicies((hash) => registry.load(hash), events.conditionFailed);
    // Until artifacts of all kinds are in one registry.
    const models = createRegistry(pool, { schema: toPostgresSchema(namespace, 'scoring') });
    const loaders = { policies, manifests: createManifests((hash) => models.load(hash)), specs };
    const definition = createActionProcessor({ namespace, loaders, pseudonymizer, events });
    const snapshots = await openSnapshotSettings(config.snapshots);
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics, snapshots }),
      (running) => running.stop(),
    );
    const groupId = toConsumerGroup(namespace, LEDGER_NAME);
    const topic = toTopic(namespace, 'actionDecided');
    const projection = await releases.acquire(
      'ledger',
      () => startProjection({ log, pool, schema, groupId, topic, insert: ledger.insert, logger, metrics }),
      (running) => running.stop(),
    );
    // The ledger is not part of readiness: PostgreSQL away never stops decisions.
    const server = createHttpServer({
      logger,
      metrics,
      metricsAccess: config.http.metricsAccess,
      access: openAccess(pool, namespace),
      readiness: () => toReadiness(processor.problems()),
    });
    addActionRoutes(server, { ledger, pseudonymizer, events, ledgerLag: projection.lag });
    releases.push('http', () => server.close());
    return listen(server, config.http);
  });
}
