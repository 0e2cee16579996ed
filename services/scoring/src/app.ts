import { toConsumerGroup, toPostgresSchema, toTopic } from '@perennial/contracts';
import { createHttpServer, listen } from '@perennial/http';
import { createPseudonymizer } from '@perennial/identity';
import type { Log } from '@perennial/kafka';
import { createKafkaLog } from '@perennial/kafka';
import { ReleaseStack } from '@perennial/kernel';
import type { Processor } from '@perennial/keyed-processor';
import { startProcessor } from '@perennial/keyed-processor';
import { createPool } from '@perennial/postgres';
import { startProjection } from '@perennial/projection';
import { connectRedis } from '@perennial/redis';
import { createRegistry } from '@perennial/registry';
import type { App } from '@perennial/service';
import type { Logger, Metrics } from '@perennial/telemetry';
import { createLogger, createMetrics } from '@perennial/telemetry';
import type { ScoringConfig } from './config.js';
import { createContents } from './contents.js';
import { createScoringDefinition, PROCESSOR_NAME } from './definition.js';
import { createScoringEvents } from './events.js';
import { addScoringRoutes } from './http/routes.js';
import { createProfileReader } from './profile-reader.js';
import { createTransitionStore } from './transition-store.js';

/** The sink, the HTTP side and loads of contents: never many at once. */
const POSTGRES_CONNECTIONS_MAX = 4;

export interface ScoringOverrides {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  readonly log?: Log;
}

/** The scoring service, composed; nothing is opened before `start`. */
export function createApp(config: ScoringConfig, overrides: ScoringOverrides = {}): App {
  const { namespace, instanceId } = config;
  const logger =
    overrides.logger ?? createLogger({ service: PROCESSOR_NAME, namespace, instanceId, level: config.logLevel });
  const metrics = overrides.metrics ?? createMetrics({ service: PROCESSOR_NAME, namespace });
  const releases = new ReleaseStack();

  async function start(): Promise<{ url: string }> {
    const schema = toPostgresSchema(namespace, PROCESSOR_NAME);
    const pseudonymizer = createPseudonymizer(config.secret);
    const events = createScoringEvents(logger, metrics);
    const name = `scoring-${instanceId}`;

    const pool = createPool({
      url: config.postgres.url,
      applicationName: name,
      connectionsMax: POSTGRES_CONNECTIONS_MAX,
      onIdleError: (error) => logger.warn({ error }, 'an idle postgres connection broke'),
    });
    releases.push('postgres', () => pool.end());
    const redis = await releases.acquire(
      'redis',
      () => connectRedis({ url: config.redis.url, logger, name }),
      (connection) => connection.disconnect(),
    );
    const log = overrides.log ?? createKafkaLog({ brokers: [...config.kafka.brokers], clientId: name, logger });
    if (overrides.log === undefined) releases.push('kafka', () => log.close());

    const registry = createRegistry(pool, { schema });
    const contents = createContents({
      load: (hash) => registry.load(hash),
      providers: config.providers,
      onModelLoaded: events.modelLoaded,
    });
    const transitions = createTransitionStore(pool, { schema, events });
    const topic = toTopic(namespace, 'stageChanged');
    const partitions = (await log.offsets(topic)).size;

    let processor: Processor | undefined;
    const server = createHttpServer({
      logger,
      metrics,
      readiness: () => {
        const reasons = processor === undefined ? ['the processor has not started'] : processor.problems();
        return { ready: reasons.length === 0, reasons };
      },
    });
    // PostgreSQL away leaves the sink behind and the hot path alone.
    const sink = await releases.acquire(
      'transition sink',
      () =>
        startProjection({
          log,
          pool,
          schema,
          groupId: toConsumerGroup(namespace, 'scoring-transitions'),
          topic,
          insert: (client, records) => transitions.insert(client, records),
          logger,
          metrics,
        }),
      (running) => running.stop(),
    );
    addScoringRoutes(server, {
      pseudonymizer,
      readProfile: createProfileReader(redis, { namespace, partitions }),
      transitions,
      lag: () => sink.lag(),
    });
    processor = await releases.acquire(
      'processor',
      () =>
        startProcessor({
          definition: createScoringDefinition({ namespace, contents, pseudonymizer, events }),
          namespace,
          log,
          redis,
          logger,
          metrics,
        }),
      (running) => running.stop(),
    );
    releases.push('http', () => server.close());
    return { url: await listen(server, config.http) };
  }

  return {
    async start() {
      try {
        return await start();
      } catch (error) {
        await releases
          .dispose()
          .catch((failure: unknown) => logger.warn({ error: failure }, 'roll back was not clean'));
        throw error;
      }
    },
    stop: () => releases.dispose(),
  };
}
