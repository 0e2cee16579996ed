import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import type { App } from '@perennial/service-host';
import { composeProcessorService, type ProcessorServiceParts } from './compose-processor-service.js';
import type { ProcessorParts } from './open-context.js';
import { openProcessorRebuild } from './open-processor-rebuild.js';
import type { OpenRebuild } from './service-definition.js';

export interface ProcessorApp<Config extends ProcessorConfig> {
  readonly name: ProcessorName;
  /** The service: the processor, what depends on it, then HTTP. */
  createApp(config: Config): App;
  /** The same processor as a stage of a rebuild. */
  openRebuild(config: Config): Promise<OpenRebuild>;
}

/** A service with one keyed processor and its stage of a rebuild, of the same parts. */
export function defineProcessorApp<Config extends ProcessorConfig, Parts extends ProcessorParts>(
  parts: ProcessorServiceParts<Config, Parts>,
): ProcessorApp<Config> {
  return {
    name: parts.name,
    createApp: (config) => composeProcessorService(config, parts),
    openRebuild: (config) => openProcessorRebuild(config, parts),
  };
}
