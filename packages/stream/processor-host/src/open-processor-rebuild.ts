import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import { ReleaseStack } from '@perennial/kernel';
import { createRebuildStage } from '@perennial/keyed-processor';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { openContext, type ProcessorContext, type ProcessorParts } from './open-context.js';
import type { OpenRebuild } from './service-definition.js';

/** Opens a processor's stage of a rebuild, built from the same parts as its service. */
export async function openProcessorRebuild<Config extends ProcessorConfig>(
  config: Config,
  service: { readonly name: ProcessorName; createParts(context: ProcessorContext<Config>): ProcessorParts },
): Promise<OpenRebuild> {
  const { name } = service;
  const { namespace, instanceId, logLevel } = config;
  const logger = createLogger({ service: name, namespace, instanceId, level: logLevel });
  const metrics = createMetrics({ service: name, namespace, processMetrics: false });
  const releases = new ReleaseStack();
  try {
    const clientId = `${name}-rebuild-${instanceId}`;
    const context = await openContext(name, config, { logger, metrics, releases, clientId });
    const { definition } = service.createParts(context);
    const { partitions, redis } = context;
    const stage = createRebuildStage({ definition, namespace, partitions, redis, logger, metrics });
    return { stage, close: () => releases.dispose() };
  } catch (error) {
    await releases.dispose();
    throw error;
  }
}
