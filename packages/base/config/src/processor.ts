import { type ArtifactsConfig, readArtifactsConfig } from './artifacts.js';
import { readS3Config, type S3Config } from './blob-location.js';
import { type CommonConfig, readCommonConfig } from './common.js';
import type { ConfigReader } from './reader.js';
import { readSnapshotConfig, type SnapshotConfig } from './snapshots.js';

/** The configuration that every service with a keyed processor has. */
export interface ProcessorConfig extends CommonConfig {
  readonly snapshots: SnapshotConfig;
  readonly artifacts: ArtifactsConfig;
}

/** All of it; pass `s3` when the caller has already read it for another bucket. */
export function readProcessorConfig(
  reader: ConfigReader,
  { portDefault, s3 = readS3Config(reader) }: { readonly portDefault: number; readonly s3?: S3Config },
): ProcessorConfig {
  return {
    ...readCommonConfig(reader, { portDefault }),
    snapshots: readSnapshotConfig(reader, s3),
    artifacts: readArtifactsConfig(reader, s3),
  };
}
