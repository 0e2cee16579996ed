import { isAppError, toSha256 } from '@perennial/kernel';
import { decodeManifest, type SnapshotManifest } from '@perennial/keyed-processor/internals';

/** A snapshot that can be restored, judged with a view of all objects at once. */
export interface StandingSnapshot {
  readonly manifest: SnapshotManifest;
  /** All its objects, those of its lineage included. */
  readonly keys: readonly string[];
}

/** The complete snapshots of one partition, latest beginning last. */
export function readStandingSnapshots(
  objects: ReadonlyMap<string, Buffer>,
  at: { readonly namespace: string; readonly processor: string; readonly partition: number },
): StandingSnapshot[] {
  const prefix = `${at.namespace}/${at.processor}/${at.partition}`;
  const known = new Map<string, StandingSnapshot | undefined>();
  const read = (id: string): StandingSnapshot | undefined => {
    if (!known.has(id)) known.set(id, readSnapshot(objects, { prefix, id, read }));
    return known.get(id);
  };
  const ids = [...objects.keys()].filter((key) => key.startsWith(`${prefix}/manifests/`)).sort();
  return ids.flatMap((key) => read(key.slice(`${prefix}/manifests/`.length)) ?? []);
}

function readSnapshot(
  objects: ReadonlyMap<string, Buffer>,
  from: { prefix: string; id: string; read: (parent: string) => StandingSnapshot | undefined },
): StandingSnapshot | undefined {
  const key = `${from.prefix}/manifests/${from.id}`;
  const manifest = readManifest(objects.get(key));
  if (manifest === undefined) return undefined;
  const keys = [key];
  for (const { number, sha256 } of manifest.chunks) {
    const chunk = `${from.prefix}/chunks/${from.id}/${String(number).padStart(6, '0')}`;
    const bytes = objects.get(chunk);
    if (bytes === undefined || toSha256(bytes) !== sha256) return undefined;
    keys.push(chunk);
  }
  if (manifest.parent === null) return { manifest, keys };
  const parent = from.read(manifest.parent);
  return parent && { manifest, keys: [...keys, ...parent.keys] };
}

function readManifest(bytes: Buffer | undefined): SnapshotManifest | undefined {
  try {
    return bytes && decodeManifest(bytes);
  } catch (error) {
    if (isAppError(error, 'data_damaged')) return undefined;
    throw error;
  }
}
