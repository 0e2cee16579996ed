import {
  type ArchiveConfig,
  createConfigReader,
  type Environment,
  type ProcessorConfig,
  readArchiveConfig,
  readProcessorConfig,
  readS3Config,
} from '@perennial/config';

const PORT_DEFAULT = 7002;

export interface FeatureStoreConfig extends ProcessorConfig {
  readonly archive: ArchiveConfig;
}

/** This service's environment; throws AppError `config_invalid` that lists every problem. */
export function loadConfig(env: Environment): FeatureStoreConfig {
  const reader = createConfigReader(env);
  const s3 = readS3Config(reader);
  const config = {
    ...readProcessorConfig(reader, { portDefault: PORT_DEFAULT, s3 }),
    archive: readArchiveConfig(reader, s3),
  };
  reader.finish();
  return Object.freeze(config);
}
