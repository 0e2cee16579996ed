import type { BlobStore } from '@perennial/blob-store';
import type { PartitionMeta } from '@perennial/keyed-processor';
import { decodeManifest, encodeManifest, type SnapshotManifest } from '@perennial/keyed-processor/internals';
import { type Mutant, toPort, uncounted } from './mutant.js';

/** The rules of snapshots and restores, broken from outside: mostly by what a manifest says of a snapshot. */
export const SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    name: 'snapshot begun after its states were read',
    inBlobs: (blobs, serverOf) =>
      withManifests(blobs, (manifest) => {
        const meta = serverOf(manifest.partition).meta;
        const isLater = meta !== undefined && meta.restoring === undefined && meta.ordinal === 0;
        // Not beyond its end, which would break another rule.
        if (!isLater || meta.next <= manifest.begin.next || meta.next > manifest.end) return manifest;
        return { ...manifest, begin: meta };
      }),
  },
  {
    name: 'snapshot ended while something is unpublished',
    inBlobs: (blobs, serverOf) =>
      withManifests(blobs, async (manifest) => {
        // For as long as that takes, the partition goes on, perhaps into a time when nothing can be published.
        for (let i = 0; i < 4; i++) await blobs.list(`${manifest.id}/`);
        const { next } = serverOf(manifest.partition).position;
        return { ...manifest, end: Math.max(manifest.end, next) };
      }),
  },
  {
    name: 'chunks put in where the snapshot began',
    inBlobs: (blobs) =>
      withManifests(blobs, (manifest) => {
        const chunks = manifest.chunks.map((chunk) => ({ ...chunk, asOf: manifest.begin.next }));
        return { ...manifest, chunks };
      }),
  },
  {
    name: 'restore not marked',
    inStore: (store) => ({
      ...store,
      commit: (fence, request) => store.commit(fence, { ...request, meta: withoutMark(request.meta) }),
    }),
  },
  {
    name: 'restore without a wipe',
    atServer: (server) => ({ ...toPort(server), wipe: (owner) => server.wipeMeta(owner) }),
  },
  {
    name: 'commits of a restore not counted',
    atServer: (server) => uncounted(server, (restoring) => restoring),
  },
];

function withManifests(
  blobs: BlobStore,
  change: (manifest: SnapshotManifest) => SnapshotManifest | Promise<SnapshotManifest>,
): BlobStore {
  // A put that is tried again is of the same bytes.
  const changed = new Map<string, Buffer>();
  return {
    async put(key, bytes) {
      if (!key.includes('/manifests/')) return blobs.put(key, bytes);
      const written = changed.get(key) ?? encodeManifest(await change(decodeManifest(bytes)));
      changed.set(key, written);
      return blobs.put(key, written);
    },
    get: (key) => blobs.get(key),
    list: (prefix) => blobs.list(prefix),
    delete: (key) => blobs.delete(key),
  };
}

function withoutMark({ restoring: _restoring, ...meta }: PartitionMeta): PartitionMeta {
  return meta;
}
