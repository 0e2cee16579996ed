export { type ArchiveConfig, readArchiveConfig } from './archive.js';
export { type ArtifactsConfig, readArtifactsConfig } from './artifacts.js';
export { readS3Config } from './blob-location.js';
export {
  type CommonConfig,
  type HttpConfig,
  type KafkaConfig,
  type PostgresConfig,
  type ProcessConfig,
  type RedisConfig,
  readCommonConfig,
  readHttpConfig,
  readKafkaConfig,
  readPostgresConfig,
  readProcessConfig,
  readRedisConfig,
  readSecret,
} from './common.js';
export { describeVariables } from './describe.js';
export { type ConfigReader, createConfigReader } from './reader.js';
export { readSnapshotConfig, type SnapshotConfig } from './snapshots.js';
export type { Environment } from './variables.js';
