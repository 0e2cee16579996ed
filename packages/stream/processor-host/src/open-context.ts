import { type ArtifactStore, createArtifactStore } from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import type { ProcessorConfig } from '@perennial/config';
import { PROCESSORS, type ProcessorName, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import type { ReleaseStack } from '@perennial/kernel';
import type { ProcessorDefinition } from '@perennial/keyed-processor';
import type { Redis } from '@perennial/redis';
import { type Opener, openLog, openRedis } from '@perennial/service-host';
import type { Logger, Metrics } from '@perennial/telemetry';

/** What a processor is built from: the same for the service and for a rebuild. */
export interface ProcessorContext<Config extends ProcessorConfig> {
  readonly config: Config;
  readonly namespace: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly artifactStore: ArtifactStore;
}

/** What a service builds from it; the rest is its own. */
export interface ProcessorParts {
  readonly definition: ProcessorDefinition<unknown, unknown, unknown>;
}

/** The stores of a processor, open. */
export interface OpenContext<Config extends ProcessorConfig> extends ProcessorContext<Config> {
  readonly opener: Opener;
  readonly log: Log;
  readonly redis: Redis;
  /** Of all topics of the namespace. */
  readonly partitions: number;
}

export async function openContext<Config extends ProcessorConfig>(
  name: ProcessorName,
  config: Config,
  by: {
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly releases: ReleaseStack;
    readonly clientId: string;
  },
): Promise<OpenContext<Config>> {
  const { namespace } = config;
  const { logger, metrics, releases, clientId } = by;
  const opener = { name: clientId, logger, releases };
  const log = openLog(opener, config.kafka);
  const partitions = (await log.offsets(toTopic(namespace, PROCESSORS[name].input))).size;
  const redis = await openRedis(opener, config.redis);
  const artifactStore = createArtifactStore(await openBlobStore(config.artifacts), { namespace });
  return { config, namespace, logger, metrics, artifactStore, opener, log, redis, partitions };
}
