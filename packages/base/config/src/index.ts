export { type ArchiveConfig, readArchiveConfig } from './archive.js';
export { type ArtifactsConfig, readArtifactsConfig } from './artifacts.js';
export { readS3Config } from './blob-location.js';
export {
  type HttpConfig,
  type PostgresConfig,
  type ProcessConfig,
  readHttpConfig,
  readPostgresConfig,
  readProcessConfig,
  readSecret,
} from './common.js';
export { describeVariables } from './describe.js';
export { type KafkaConfig, readKafkaConfig, readKafkaSecurity } from './kafka.js';
export { type ProcessorConfig, readProcessorConfig } from './processor.js';
export { type ConfigReader, createConfigReader } from './reader.js';
export type { Environment } from './variables.js';
