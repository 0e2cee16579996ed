export { type ArchiveConfig, readArchiveConfig } from './archive.js';
export { readS3Config } from './blob-location.js';
export {
  type HttpConfig,
  type KafkaConfig,
  type PostgresConfig,
  type ProcessConfig,
  readHttpConfig,
  readKafkaConfig,
  readPostgresConfig,
  readProcessConfig,
  readSecret,
} from './common.js';
export { describeVariables } from './describe.js';
export { type ProcessorConfig, readProcessorConfig } from './processor.js';
export { type ConfigReader, createConfigReader } from './reader.js';
export type { Environment } from './variables.js';
