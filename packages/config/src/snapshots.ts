import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigReader } from './reader.js';

/** Where snapshots of the states are kept, and how often one is written. */
export type SnapshotConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'folder'; readonly folder: string; readonly intervalMs: number }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string;
      readonly endpoint: string | undefined;
      readonly pathStyle: boolean;
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
      readonly intervalMs: number;
    };

const LOCATION = 'PERENNIAL_SNAPSHOTS';
const FORM = 'file:///an/absolute/folder, s3://bucket/prefix, or off';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/;

/** PERENNIAL_SNAPSHOTS, which has no default: whoever goes without snapshots says so. Then its interval, and S3_* for a bucket. */
export function readSnapshotConfig(reader: ConfigReader): SnapshotConfig {
  const text = reader.string(LOCATION, {
    description: `Where states are kept in case Redis is lost: ${FORM}`,
    pattern: /^(off|file:\/\/\/.+|s3:\/\/.+)$/,
    patternHint: FORM,
  });
  const intervalMs =
    1000 *
    reader.integer('PERENNIAL_SNAPSHOT_INTERVAL_SECONDS', {
      description: 'How often a snapshot of a partition is written; the topics must be kept for longer',
      min: 5,
      max: 86_400,
      default: 300,
    });
  const s3 = readS3Config(reader);
  if (text === 'off') return { kind: 'off' };
  if (text.startsWith('file://')) return { kind: 'folder', folder: toFolder(reader, text), intervalMs };
  if (text.startsWith('s3://')) return { kind: 's3', ...toBucket(reader, text), ...s3, intervalMs };
  return { kind: 'off' };
}

function readS3Config(reader: ConfigReader) {
  const endpoint = reader.optionalString('S3_ENDPOINT', {
    description: 'Server with the S3 API, for snapshots in a bucket; AWS when not set',
    pattern: /^https?:\/\/[^\s/]+$/,
    patternHint: 'http://host:port or https://host',
  });
  const region = reader.string('S3_REGION', { description: 'Region of the bucket', default: 'us-east-1' });
  const accessKeyId = reader.optionalString('S3_ACCESS_KEY_ID', {
    description: "Key for the bucket; the machine's own role when not set",
  });
  const secretAccessKey = reader.optionalString('S3_SECRET_ACCESS_KEY', { description: 'Its secret' });
  const pathStyle = reader.boolean('S3_PATH_STYLE', {
    description: 'Bucket in the path in place of the host name, as most servers other than AWS want it',
    default: endpoint !== undefined,
  });
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    reader.problem('S3_ACCESS_KEY_ID', 'and S3_SECRET_ACCESS_KEY must both be set, or neither');
  }
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return { endpoint, region, pathStyle, credentials };
}

function toFolder(reader: ConfigReader, text: string): string {
  try {
    const folder = fileURLToPath(text);
    if (isAbsolute(folder)) return folder;
  } catch {
    // Told below, like every other form that is none.
  }
  reader.problem(LOCATION, `is ${JSON.stringify(text)} but must be ${FORM}`);
  return '/';
}

function toBucket(reader: ConfigReader, text: string): { bucket: string; prefix: string } {
  const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
  const path = rest.join('/');
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  if (!BUCKET.test(bucket) || !PREFIX.test(prefix)) {
    reader.problem(LOCATION, `is ${JSON.stringify(text)} but must be ${FORM}`);
  }
  return { bucket, prefix };
}
