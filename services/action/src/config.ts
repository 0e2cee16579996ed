import { createConfigReader, type Environment, type ProcessorConfig, readProcessorConfig } from '@perennial/config';

const PORT_DEFAULT = 7004;

export type ActionConfig = ProcessorConfig;

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): ActionConfig {
  const reader = createConfigReader(env);
  const config = readProcessorConfig(reader, { portDefault: PORT_DEFAULT });
  reader.finish();
  return Object.freeze(config);
}
