import { createRegistry } from '@perennial/artifacts';
import { toPostgresSchema, toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { ReleaseStack } from '@perennial/kernel';
import { createRebuildStage, type RebuildStage } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { openLog, openPool, openRedis } from '@perennial/service-host';
import { createLogger, createMetrics } from '@perennial/telemetry';
import type { ScoringConfig } from './config.js';
import { createContents } from './contents.js';
import { createScoringDefinition, PROCESSOR_NAME } from './definition.js';
import { createScoringEvents } from './events.js';

/** This service's part of a rebuild. */
export async function openRebuild(config: ScoringConfig): Promise<{ stage: RebuildStage; close(): Promise<void> }> {
  const { namespace, instanceId, logLevel } = config;
  const logger = createLogger({ service: PROCESSOR_NAME, namespace, instanceId, level: logLevel });
  const metrics = createMetrics({ service: PROCESSOR_NAME, namespace, processMetrics: false });
  const releases = new ReleaseStack();
  try {
    const events = createScoringEvents(logger, metrics);
    const opener = { name: `${PROCESSOR_NAME}-rebuild-${instanceId}`, logger, releases };
    const partitions = (await openLog(opener, config.kafka).offsets(toTopic(namespace, 'featureUpdated'))).size;
    const redis = await openRedis(opener, config.redis);
    const pool = openPool(opener, { ...config.postgres, connectionsMax: 1 });
    const registry = createRegistry(pool, { schema: toPostgresSchema(namespace, PROCESSOR_NAME) });
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const contents = createContents({
      load: (hash) => registry.load(hash),
      specs,
      providers: config.providers,
      onModelLoaded: events.modelLoaded,
      onConditionError: events.conditionFailed,
    });
    const pseudonymizer = createPseudonymizer(config.secret);
    const definition = createScoringDefinition({ namespace, contents, specs, pseudonymizer, events });
    const stage = createRebuildStage({ definition, namespace, partitions, redis, logger, metrics });
    return { stage, close: () => releases.dispose() };
  } catch (error) {
    await releases.dispose();
    throw error;
  }
}
