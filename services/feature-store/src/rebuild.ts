import { openBlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, ReleaseStack } from '@perennial/kernel';
import { createRebuildStage, type RebuildStage } from '@perennial/keyed-processor';
import { openLog, openRedis } from '@perennial/service-host';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { EventArchive } from './archive/event-archive.js';
import type { FeatureStoreConfig } from './config.js';
import { createEvents } from './events.js';
import { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';

export interface FeatureStoreRebuild {
  readonly stage: RebuildStage;
  /** Where the chain's records come from. */
  readonly archive: EventArchive;
  close(): Promise<void>;
}

/** This service's part of a rebuild. Throws `config_invalid` when the archive is off. */
export async function openRebuild(config: FeatureStoreConfig): Promise<FeatureStoreRebuild> {
  const { namespace, instanceId, logLevel } = config;
  if (config.archive.kind === 'off')
    throw new AppError('config_invalid', 'PERENNIAL_ARCHIVE is off: there is nothing to rebuild from');
  const archive = new EventArchive(await openBlobStore(config.archive), namespace);
  const logger = createLogger({ service: PROCESSOR_NAME, namespace, instanceId, level: logLevel });
  const metrics = createMetrics({ service: PROCESSOR_NAME, namespace, processMetrics: false });
  const releases = new ReleaseStack();
  try {
    const opener = { name: `${PROCESSOR_NAME}-rebuild-${instanceId}`, logger, releases };
    const partitions = (await openLog(opener, config.kafka).offsets(toTopic(namespace, 'eventAccepted'))).size;
    const redis = await openRedis(opener, config.redis);
    const definition = createFeatureProcessor({
      namespace,
      events: createEvents(metrics),
      specs: new FeatureSpecs(ECOMMERCE_FEATURES),
    });
    const stage = createRebuildStage({ definition, namespace, partitions, redis, logger, metrics });
    return { stage, archive, close: () => releases.dispose() };
  } catch (error) {
    await releases.dispose();
    throw error;
  }
}
