import { toTopic } from '@perennial/contracts';
import { listen } from '@perennial/http';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/identity';
import { createKafkaLog, type Log } from '@perennial/kafka';
import { ReleaseStack } from '@perennial/kernel';
import { type Processor, startProcessor } from '@perennial/keyed-processor';
import { connectRedis } from '@perennial/redis';
import type { App } from '@perennial/service';
import { createLogger, createMetrics, type Logger } from '@perennial/telemetry';
import { createRedisProfileReader } from './adapters/redis-profile-reader.js';
import type { FeatureStoreConfig } from './config.js';
import { createEvents } from './events.js';
import { createFeatureServer } from './http/server.js';
import { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';

/** Profile keys remembered, so that a hot profile costs no HMAC. */
const PSEUDONYMS_CACHED_MAX = 50_000;

/** What tests and the one-process mode replace. */
export interface AppOverrides {
  readonly log?: Log;
  readonly logger?: Logger;
}

/** Composes the service: Kafka and Redis, the keyed processor over `event.accepted`, then HTTP. */
export function createApp(config: FeatureStoreConfig, overrides: AppOverrides = {}): App {
  const { namespace, instanceId, logLevel } = config;
  const service = PROCESSOR_NAME;
  const logger = overrides.logger ?? createLogger({ service, namespace, instanceId, level: logLevel });
  const releases = new ReleaseStack();

  async function start(): Promise<{ url: string }> {
    const metrics = createMetrics({ service, namespace });
    const events = createEvents(metrics);
    const log = overrides.log ?? (await releases.acquire('kafka', openLog, (open) => open.close()));
    const partitions = (await log.offsets(toTopic(namespace, 'eventAccepted'))).size;
    const redis = await releases.acquire('redis', () => openRedis('processor'), closeRedis);
    // A connection of its own: a read must not wait behind a commit of a megabyte.
    const readRedis = await releases.acquire('redis for reads', () => openRedis('reader'), closeRedis);
    const definition = createFeatureProcessor(namespace, events);
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics }),
      (running) => running.stop(),
    );
    const server = createFeatureServer({
      logger,
      metrics,
      events,
      readiness: () => toReadiness(processor),
      reader: createRedisProfileReader(readRedis, { namespace, partitions }),
      pseudonymizer: createCachedPseudonymizer(createPseudonymizer(config.secret), {
        entriesMax: PSEUDONYMS_CACHED_MAX,
      }),
    });
    releases.push('http', () => server.close());
    return { url: await listen(server, config.http) };
  }

  async function openLog(): Promise<Log> {
    return createKafkaLog({ brokers: config.kafka.brokers, clientId: `${service}-${instanceId}`, logger });
  }

  function openRedis(name: string) {
    return connectRedis({ url: config.redis.url, logger, name: `${service}-${name}-${instanceId}` });
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

/** Nothing is under way any more: a farewell command would only fail where Redis is away. */
function closeRedis(redis: { disconnect(): void }): void {
  redis.disconnect();
}

function toReadiness(processor: Processor) {
  const reasons = processor.problems();
  return { ready: reasons.length === 0, reasons };
}
