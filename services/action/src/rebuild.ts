import { createRegistry } from '@perennial/artifacts';
import { toPostgresSchema, toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { ReleaseStack } from '@perennial/kernel';
import { createRebuildStage, type RebuildStage } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { openLog, openPool, openRedis } from '@perennial/service-host';
import { createLogger, createMetrics } from '@perennial/telemetry';
import type { ActionConfig } from './config.js';
import { createEvents } from './events.js';
import { createManifests } from './manifests.js';
import { createActionProcessor, PROCESSOR_NAME } from './pipeline.js';
import { createPolicies } from './policies.js';

/** This service's part of a rebuild. */
export async function openRebuild(config: ActionConfig): Promise<{ stage: RebuildStage; close(): Promise<void> }> {
  const { namespace, instanceId, logLevel } = config;
  const logger = createLogger({ service: PROCESSOR_NAME, namespace, instanceId, level: logLevel });
  const metrics = createMetrics({ service: PROCESSOR_NAME, namespace, processMetrics: false });
  const releases = new ReleaseStack();
  try {
    const opener = { name: `${PROCESSOR_NAME}-rebuild-${instanceId}`, logger, releases };
    const partitions = (await openLog(opener, config.kafka).offsets(toTopic(namespace, 'scoreComputed'))).size;
    const redis = await openRedis(opener, config.redis);
    const pool = openPool(opener, { ...config.postgres, connectionsMax: 1 });
    const registry = createRegistry(pool, { schema: toPostgresSchema(namespace, PROCESSOR_NAME) });
    const events = createEvents(logger, metrics);
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const policies = createPolicies((hash) => registry.load(hash), events.conditionFailed);
    // Until artifacts of all kinds are in one registry.
    const models = createRegistry(pool, { schema: toPostgresSchema(namespace, 'scoring') });
    const loaders = { policies, manifests: createManifests((hash) => models.load(hash)), specs };
    const pseudonymizer = createPseudonymizer(config.secret);
    const definition = createActionProcessor({ namespace, loaders, pseudonymizer, events });
    const stage = createRebuildStage({ definition, namespace, partitions, redis, logger, metrics });
    return { stage, close: () => releases.dispose() };
  } catch (error) {
    await releases.dispose();
    throw error;
  }
}
