import { toConsumerGroup, toPostgresSchema, toTopic } from '@perennial/contracts';
import { listen } from '@perennial/http';
import { createPseudonymizer } from '@perennial/identity';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { ReleaseStack } from '@perennial/kernel';
import { type Processor, startProcessor } from '@perennial/keyed-processor';
import { createPool } from '@perennial/postgres';
import { startProjection } from '@perennial/projection';
import { connectRedis } from '@perennial/redis';
import { createRegistry } from '@perennial/registry';
import type { App } from '@perennial/service';
import { createLogger, createMetrics, type Logger } from '@perennial/telemetry';
import { createLedger } from './adapters/ledger.js';
import type { ActionConfig } from './config.js';
import { createEvents } from './events.js';
import { createActionServer } from './http/server.js';
import { createActionProcessor, PROCESSOR_NAME } from './pipeline.js';
import { createPolicies } from './policies.js';

/** Registry reads, the ledger's transactions (one a partition at a time) and HTTP queries share these. */
const POSTGRES_CONNECTIONS_MAX = 4;
const LEDGER_NAME = 'action-ledger';

/** What tests and the one-process mode replace. */
export interface AppOverrides {
  readonly log?: Log;
  readonly logger?: Logger;
}

/** Composes the service: the keyed processor over `score.computed`, the ledger behind `action.decided`, then HTTP. */
export function createApp(config: ActionConfig, overrides: AppOverrides = {}): App {
  const { namespace, instanceId, logLevel } = config;
  const service = PROCESSOR_NAME;
  const logger = overrides.logger ?? createLogger({ service, namespace, instanceId, level: logLevel });
  const releases = new ReleaseStack();

  async function start(): Promise<{ url: string }> {
    const metrics = createMetrics({ service, namespace });
    const events = createEvents(metrics);
    const pseudonymizer = createPseudonymizer(config.secret);
    const schema = toPostgresSchema(namespace, service);
    const log = overrides.log ?? (await releases.acquire('kafka', openLog, (open) => open.close()));
    const redis = await releases.acquire('redis', openRedis, async (open) => void (await open.quit()));
    const pool = await releases.acquire('postgres', openPool, (open) => open.end());
    const registry = createRegistry(pool, { schema });
    const ledger = createLedger(pool, schema);
    const policies = createPolicies((hash) => registry.load(hash));
    const definition = createActionProcessor({ namespace, policies, pseudonymizer, events });
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics }),
      (running) => running.stop(),
    );
    const projection = await releases.acquire(
      'ledger',
      () =>
        startProjection({
          log,
          pool,
          schema,
          groupId: toConsumerGroup(namespace, LEDGER_NAME),
          topic: toTopic(namespace, 'actionDecided'),
          insert: ledger.insert,
          logger,
          metrics,
        }),
      (running) => running.stop(),
    );
    const server = createActionServer({
      logger,
      metrics,
      events,
      ledger,
      pseudonymizer,
      ledgerLag: projection.lag,
      readiness: () => toReadiness(processor),
    });
    releases.push('http', () => server.close());
    return { url: await listen(server, config.http) };
  }

  async function openLog(): Promise<Log> {
    return createKafkaLog({ brokers: config.kafka.brokers, clientId: `${service}-${instanceId}`, logger });
  }

  function openRedis() {
    return connectRedis({ url: config.redis.url, logger, name: `${service}-${instanceId}` });
  }

  async function openPool() {
    return createPool({
      url: config.postgres.url,
      applicationName: `${service}-${instanceId}`,
      connectionsMax: POSTGRES_CONNECTIONS_MAX,
      onIdleError: (error) => logger.warn({ error }, 'an idle postgres connection broke'),
    });
  }

  return {
    async start() {
      try {
        return await start();
      } catch (error) {
        await releases.dispose();
        throw error;
      }
    },
    stop: () => releases.dispose(),
  };
}

/** The ledger is not part of it: PostgreSQL away never stops decisions. */
function toReadiness(processor: Processor) {
  const reasons = processor.problems();
  return { ready: reasons.length === 0, reasons };
}
