import type { BlobStore } from '@perennial/blob-store';
import type { PartitionMeta } from '@perennial/keyed-processor';
import { decodeManifest, encodeManifest, type SnapshotManifest } from '@perennial/keyed-processor/internals';
import { type MetaOf, type Mutant, type OnBroken, toPort, uncounted } from './mutant.js';
import type { RuleName } from './rules.js';

type SnapshotRule = Extract<
  RuleName,
  | 'snapshot-begun-after-its-states-were-read'
  | 'snapshot-ended-while-unpublished'
  | 'chunks-put-in-where-snapshot-began'
  | 'restore-not-marked'
  | 'restore-without-wipe'
  | 'commits-of-a-restore-not-counted'
>;

/** Mutants of the rules of snapshots and restores, mostly by changing a manifest. */
export const SNAPSHOT_MUTANTS: Readonly<Record<SnapshotRule, Mutant>> = {
  'snapshot-begun-after-its-states-were-read': { inBlobs: withLateBegin },
  'snapshot-ended-while-unpublished': {
    inBlobs: (blobs, { metaOf, onBroken }) =>
      withManifests(blobs, onBroken, async (manifest) => {
        // Meanwhile the partition continues, perhaps into a time when nothing can be published.
        for (let i = 0; i < 4; i++) await blobs.list(`${manifest.id}/`);
        return { ...manifest, end: Math.max(manifest.end, metaOf(manifest.partition)?.next ?? 0) };
      }),
  },
  'chunks-put-in-where-snapshot-began': {
    inBlobs: (blobs, { onBroken }) =>
      withManifests(blobs, onBroken, (manifest) => {
        const chunks = manifest.chunks.map((chunk) => ({ ...chunk, asOf: manifest.begin.next }));
        return { ...manifest, chunks };
      }),
  },
  'restore-not-marked': {
    inStore: (store, { onBroken }) => ({
      ...store,
      commit: (fence, request) => store.commit(fence, { ...request, meta: withoutMark(request.meta, onBroken) }),
    }),
  },
  'restore-without-wipe': {
    atServer: (server, onBroken) => ({
      ...toPort(server),
      wipe(owner) {
        onBroken();
        return server.wipeMeta(owner);
      },
    }),
  },
  'commits-of-a-restore-not-counted': {
    atServer: (server, onBroken) => uncounted(server, (restoring) => restoring, onBroken),
  },
};

/** A snapshot whose manifest puts its beginning at its end, or as near as is known: after its states were read. */
export function withLateBegin(
  blobs: BlobStore,
  { metaOf, onBroken }: { readonly metaOf: MetaOf; readonly onBroken: OnBroken },
): BlobStore {
  return withManifests(blobs, onBroken, (manifest) => {
    const meta = metaOf(manifest.partition);
    const isLater = meta !== undefined && meta.restoring === undefined && meta.ordinal === 0;
    // Not beyond its end, which would break another rule.
    if (!isLater || meta.next <= manifest.begin.next || meta.next > manifest.end) return manifest;
    return { ...manifest, begin: meta };
  });
}

function withManifests(
  blobs: BlobStore,
  onBroken: OnBroken,
  change: (manifest: SnapshotManifest) => SnapshotManifest | Promise<SnapshotManifest>,
): BlobStore {
  // A retried put has the same bytes.
  const changed = new Map<string, Buffer>();
  return {
    async put(key, bytes) {
      if (!key.includes('/manifests/')) return blobs.put(key, bytes);
      const written = changed.get(key) ?? encodeManifest(await change(decodeManifest(bytes)));
      if (!written.equals(bytes)) onBroken();
      changed.set(key, written);
      return blobs.put(key, written);
    },
    get: (key) => blobs.get(key),
    list: (prefix) => blobs.list(prefix),
    delete: (key) => blobs.delete(key),
  };
}

function withoutMark({ restoring, ...meta }: PartitionMeta, onBroken: OnBroken): PartitionMeta {
  if (restoring !== undefined) onBroken();
  return meta;
}
