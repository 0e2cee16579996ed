import { type BlobLocationConfig, readBlobLocation, type S3Config } from './blob-location.js';
import type { ConfigReader } from './reader.js';

/** Where the bytes of artifacts are stored. */
export type ArtifactsConfig = Exclude<BlobLocationConfig, { kind: 'off' }>;

const NAME = 'PERENNIAL_ARTIFACTS';

/** PERENNIAL_ARTIFACTS, which has no default and cannot be off: no artifact comes into force without its bytes. */
export function readArtifactsConfig(reader: ConfigReader, s3: S3Config): ArtifactsConfig {
  const location = readBlobLocation(reader, NAME, {
    description: 'Where models, policies and other artifacts lie, for all services of a namespace alike',
    s3,
    optional: false,
  });
  // Reached only after a problem was noted: the reader throws before anyone uses this value.
  return location.kind === 'off' ? { kind: 'folder', folder: '/' } : location;
}
