import { type BlobLocationConfig, readBlobLocation, type S3Config } from './blob-location.js';
import type { ConfigReader } from './reader.js';

/** Where accepted events are archived, and how often a file is closed. */
export type ArchiveConfig =
  | { readonly kind: 'off' }
  | (Exclude<BlobLocationConfig, { kind: 'off' }> & { readonly windowMs: number });

const DAY_SECONDS = 86_400;
const WINDOW = 'PERENNIAL_ARCHIVE_WINDOW_SECONDS';

/** PERENNIAL_ARCHIVE, which has no default, and the longest time span of one archive file. */
export function readArchiveConfig(reader: ConfigReader, s3: S3Config): ArchiveConfig {
  const location = readBlobLocation(reader, 'PERENNIAL_ARCHIVE', {
    description: 'Where every accepted event is kept, as Parquet, for good',
    s3,
  });
  const windowSeconds = reader.integer(WINDOW, {
    description: 'Stretch of time that one file of the archive holds; it divides a day',
    min: 1,
    max: DAY_SECONDS,
    default: 600,
  });
  if (DAY_SECONDS % windowSeconds !== 0) reader.problem(WINDOW, `is ${windowSeconds}, which does not divide a day`);
  return location.kind === 'off' ? location : { ...location, windowMs: windowSeconds * 1000 };
}
