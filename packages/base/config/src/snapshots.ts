import { type BlobLocationConfig, readBlobLocation, readS3Config, type S3Config } from './blob-location.js';
import type { ConfigReader } from './reader.js';

/** Where snapshots of the states are stored, and how often one is written. */
export type SnapshotConfig =
  | { readonly kind: 'off' }
  | (Exclude<BlobLocationConfig, { kind: 'off' }> & { readonly intervalMs: number });

/** PERENNIAL_SNAPSHOTS and its interval; also S3_*, unless the caller has already read them for another bucket. */
export function readSnapshotConfig(reader: ConfigReader, s3: S3Config = readS3Config(reader)): SnapshotConfig {
  const location = readBlobLocation(reader, 'PERENNIAL_SNAPSHOTS', {
    description: 'Where states are kept in case Redis is lost',
    s3,
  });
  const intervalMs =
    1000 *
    reader.integer('PERENNIAL_SNAPSHOT_INTERVAL_SECONDS', {
      description: 'How often a snapshot of a partition is written; the topics must be kept for longer',
      min: 5,
      max: 86_400,
      default: 300,
    });
  return location.kind === 'off' ? location : { ...location, intervalMs };
}
