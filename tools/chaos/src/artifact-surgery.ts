import { type Artifact, createArtifactRegistry, createArtifactStore, toArtifactKey } from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import type { ArtifactKind } from '@perennial/contracts';
import type { Platform } from '@perennial/launcher';
import { withPool } from '@perennial/postgres';

/**
 * Writes to the artifact registry directly, past its commands and past the links, as an operator with write access
 * could.
 */
export interface ArtifactSurgery {
  /** Registers bytes that `register` would have rejected, under their correct hash. */
  insert(bytes: Buffer): Promise<Artifact>;
  read(hash: string): Promise<Buffer>;
  write(hash: string, bytes: Buffer): Promise<void>;
}

export async function createArtifactSurgery(
  { endpoints, namespace, layout }: Platform,
  kind: ArtifactKind,
): Promise<ArtifactSurgery> {
  const blobs = await openBlobStore({ kind: 'folder', folder: layout.artifactsDir });
  const store = createArtifactStore(blobs, { namespace });
  const options = { url: endpoints.postgresUrl, applicationName: 'perennial-chaos', connectionsMax: 1 };
  return {
    insert: (bytes) =>
      withPool(options, (pool) =>
        createArtifactRegistry({ pool, store, namespace }).register(kind, bytes, { name: 'chaos' }),
      ),
    read: (hash) => store.load(kind, hash),
    write: (hash, bytes) => blobs.put(toArtifactKey(namespace, { kind, hash }), bytes),
  };
}
