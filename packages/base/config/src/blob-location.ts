import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigReader } from './reader.js';

/** A configured location for objects that outlive the process. */
export type BlobLocationConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string;
      readonly endpoint: string | undefined;
      readonly pathStyle: boolean;
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
    };

/** How a bucket is accessed. */
export type S3Config = Omit<Extract<BlobLocationConfig, { kind: 's3' }>, 'kind' | 'bucket' | 'prefix'>;

const FORM = 'file:///an/absolute/folder or s3://bucket/prefix';
const OPTIONAL_FORM = 'file:///an/absolute/folder, s3://bucket/prefix, or off';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/;

/** The variable `name`, which has no default. An installation without an optional store sets `off`. */
export function readBlobLocation(
  reader: ConfigReader,
  name: string,
  {
    description,
    s3,
    optional = true,
  }: { readonly description: string; readonly s3: S3Config; readonly optional?: boolean },
): BlobLocationConfig {
  const form = optional ? OPTIONAL_FORM : FORM;
  const text = reader.string(name, {
    description: `${description}: ${form}`,
    pattern: optional ? /^(off|file:\/\/\/.+|s3:\/\/.+)$/ : /^(file:\/\/\/.+|s3:\/\/.+)$/,
    patternHint: form,
  });
  const invalid = () => reader.problem(name, `is ${JSON.stringify(text)} but must be ${form}`);
  if (text.startsWith('file://')) return { kind: 'folder', folder: toFolder(text, invalid) };
  if (text.startsWith('s3://')) return { kind: 's3', ...toBucket(text, invalid), ...s3 };
  return { kind: 'off' };
}

/** S3_*, shared by all buckets of a service. */
export function readS3Config(reader: ConfigReader): S3Config {
  const endpoint = reader.optionalString('S3_ENDPOINT', {
    description: 'Server with the S3 API, for snapshots, the archive and artifacts in a bucket; AWS when not set',
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

function toFolder(text: string, invalid: () => void): string {
  try {
    const folder = fileURLToPath(text);
    if (isAbsolute(folder)) return folder;
  } catch {
    // Reported below, like every other invalid form.
  }
  invalid();
  return '/';
}

function toBucket(text: string, invalid: () => void): { bucket: string; prefix: string } {
  const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
  const path = rest.join('/');
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  if (!BUCKET.test(bucket) || !PREFIX.test(prefix)) invalid();
  return { bucket, prefix };
}
