import { createHash } from 'node:crypto';
import type { StreamingBlobStore } from '@perennial/blob-store';
import { ARTIFACT_KINDS, type ArtifactKind, ATTACHMENT_KINDS, type AttachmentKind } from '@perennial/contracts';
import { AppError, toSha256 } from '@perennial/kernel';

type StoredKind = ArtifactKind | AttachmentKind;

const LIMITS = { ...ARTIFACT_KINDS, ...ATTACHMENT_KINDS };

/**
 * The bytes of a namespace's artifacts and their attachments, by kind and SHA-256. A hash is enough to load them;
 * PostgreSQL is not needed.
 */
export interface ArtifactStore {
  /**
   * Returns the hash once the bytes are durable. Bytes that exist already are written again, which repairs damaged
   * ones. Throws `limit_exceeded` above the kind's limit.
   */
  put(kind: StoredKind, bytes: Buffer): Promise<string>;
  /**
   * Throws `not_found`, `data_damaged` when the bytes do not match the hash, `limit_exceeded` as soon as more bytes
   * arrive than the kind allows, and a retriable `dependency_unavailable` when the store is unavailable.
   */
  load(kind: StoredKind, hash: string): Promise<Buffer>;
  /**
   * Hashes of all stored artifacts of a kind, ascending. Registering that was interrupted may have left one without a
   * record.
   */
  list(kind: StoredKind): Promise<readonly string[]>;
}

export function createArtifactStore(
  blobs: StreamingBlobStore,
  { namespace }: { readonly namespace: string },
): ArtifactStore {
  return {
    async put(kind, bytes) {
      checkSize(kind, bytes.length);
      const hash = toSha256(bytes);
      await blobs.put(toArtifactKey(namespace, { kind, hash }), bytes);
      return hash;
    },

    async load(kind, hash) {
      const stored = await blobs.read(toArtifactKey(namespace, { kind, hash }));
      if (stored === undefined) throw new AppError('not_found', `no bytes are stored of ${kind} ${hash}`);
      const { bytes, found } = await readPieces(stored, kind);
      if (found !== hash)
        throw new AppError('data_damaged', `the bytes of ${kind} ${hash} are damaged: register it again`);
      return bytes;
    },

    async list(kind) {
      const prefix = `${namespace}/${kind}/`;
      return (await blobs.list(prefix)).map((key) => key.slice(prefix.length));
    },
  };
}

/** Key of the bytes in the blob store. */
export function toArtifactKey(
  namespace: string,
  artifact: { readonly kind: StoredKind; readonly hash: string },
): string {
  return `${namespace}/${artifact.kind}/${artifact.hash}`;
}

/** The hash is computed chunk by chunk: hashing gigabytes at once would block the rest of the process. */
async function readPieces(stored: AsyncIterable<Buffer>, kind: StoredKind): Promise<{ bytes: Buffer; found: string }> {
  const sha256 = createHash('sha256');
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stored) {
    size += piece.length;
    checkSize(kind, size);
    sha256.update(piece);
    pieces.push(piece);
  }
  return { bytes: Buffer.concat(pieces, size), found: sha256.digest('hex') };
}

function checkSize(kind: StoredKind, bytes: number): void {
  const { bytesMax } = LIMITS[kind];
  if (bytes <= bytesMax) return;
  throw new AppError('limit_exceeded', `a ${kind} of ${bytes} bytes is over the limit of ${bytesMax}`);
}
