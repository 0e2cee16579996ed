import { createHash } from 'node:crypto';
import type { StreamingBlobStore } from '@perennial/blob-store';
import { ARTIFACT_KINDS, type ArtifactKind, ATTACHMENT_KINDS, type AttachmentKind } from '@perennial/contracts';
import { AppError, toSha256 } from '@perennial/kernel';

type StoredKind = ArtifactKind | AttachmentKind;

const LIMITS = { ...ARTIFACT_KINDS, ...ATTACHMENT_KINDS };

/** The bytes of a namespace's artifacts and their attachments, by kind and SHA-256. Whoever has a hash needs nothing else, PostgreSQL least of all. */
export interface ArtifactStore {
  /**
   * Gives the hash once the bytes are durable. Bytes that are there already are written again, which repairs what was
   * damaged. Throws `limit_exceeded` above the kind's limit.
   */
  put(kind: StoredKind, bytes: Buffer): Promise<string>;
  /**
   * Throws `not_found`, `data_damaged` when the bytes are not what the hash says, `limit_exceeded` as soon as more come than
   * the kind may have, and a retriable `dependency_unavailable` when the store is away.
   */
  load(kind: StoredKind, hash: string): Promise<Buffer>;
  /** Hashes of all that are stored of a kind, ascending; a registration that was cut off may have left one that has no record. */
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

/** Where the bytes lie in the blob store. */
export function toArtifactKey(
  namespace: string,
  artifact: { readonly kind: StoredKind; readonly hash: string },
): string {
  return `${namespace}/${artifact.kind}/${artifact.hash}`;
}

/** The hash is taken on the way: of gigabytes at once it would hold up whatever else the process does. */
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
