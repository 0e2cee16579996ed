import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AppError, toMessage } from '@perennial/kernel';
import { checkKey, checkPrefix, type StreamingBlobStore } from './blob-store.js';

export interface S3Location {
  readonly bucket: string;
  /** Prefix of every key; empty, or ends in a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Undefined for AWS. */
  readonly endpoint: string | undefined;
  /** Path-style addresses: `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Undefined to use the machine's own credentials (the role of an instance or a pod). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Timeout of one request; the caller retries. */
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
const SOCKETS_MAX = 16;

/** Objects in a bucket of S3, or of a server with the same API. The bucket must exist. */
export function createS3BlobStore(location: S3Location): StreamingBlobStore {
  const { bucket, prefix } = location;
  const client = createClient(location);
  const at = (key: string) => {
    checkKey(key);
    return { Bucket: bucket, Key: prefix + key };
  };

  const run = <T>(what: string, operation: () => Promise<T>) => runOnBucket(bucket, what, operation);

  async function openObject(key: string) {
    try {
      return (await client.send(new GetObjectCommand(at(key)))).Body;
    } catch (error) {
      if (isNoSuchKey(error)) return undefined;
      throw error;
    }
  }

  return {
    put: (key, bytes) =>
      run(`write ${key}`, async () => {
        await client.send(new PutObjectCommand({ ...at(key), Body: bytes, ContentLength: bytes.length }));
      }),

    get: (key) =>
      run(`read ${key}`, async () => {
        const body = await openObject(key);
        return body && Buffer.from(await body.transformToByteArray());
      }),

    read: (key) =>
      run(`read ${key}`, async () => {
        const body = await openObject(key);
        return body && readPieces(bucket, key, body as unknown as AsyncIterable<Uint8Array>);
      }),

    list: (below) =>
      run(`list ${below}`, async () => {
        checkPrefix(below);
        const keys: string[] = [];
        let token: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + below, ContinuationToken: token }),
          );
          for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key.slice(prefix.length));
          token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        } while (token !== undefined);
        return keys.sort();
      }),

    delete: (key) =>
      run(`delete ${key}`, async () => {
        await client.send(new DeleteObjectCommand(at(key)));
      }),
  };
}

async function runOnBucket<T>(bucket: string, what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    throw new AppError('dependency_unavailable', `bucket ${bucket}, ${what}: ${name}${toMessage(error)}`, {
      retriable: true,
      cause: error,
    });
  }
}

/** A connection that is lost while reading is reported like any other failure. */
async function* readPieces(bucket: string, key: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const piece = await runOnBucket(bucket, `read ${key}`, () => pieces.next());
      if (piece.done === true) return;
      yield Buffer.from(piece.value);
    }
  } finally {
    await pieces.return?.();
  }
}

function createClient({ region, endpoint, pathStyle, credentials }: S3Location): S3Client {
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    // Only the caller retries.
    maxAttempts: 1,
    // By default the SDK adds checksums that many S3-compatible servers reject; snapshots have their own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      httpAgent: { maxSockets: SOCKETS_MAX, keepAlive: true },
      httpsAgent: { maxSockets: SOCKETS_MAX, keepAlive: true },
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** A missing bucket is not a missing object: it is a configuration error, and must not look like an empty bucket. */
function isNoSuchKey(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}
