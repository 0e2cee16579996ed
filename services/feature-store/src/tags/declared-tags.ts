import { type ArtifactStore, createArtifactCache } from '@perennial/artifacts';
import { AppError, toMessage } from '@perennial/kernel';
import { readGivenTags } from '@perennial/segments';
import type { GivenKind } from '@perennial/traits';
import type { LoadDeclaredTags } from './tag-service.js';

/** Each partition may have another file in force, during a rollout. */
const FILES_KEPT_MAX = 8;

/** Reads which tags the file of segments in force declares; none before there is one. */
export function createDeclaredTags(store: Pick<ArtifactStore, 'load'>): LoadDeclaredTags {
  const load: (hash: string) => Promise<ReadonlyMap<string, GivenKind>> = createArtifactCache(
    'segments',
    (hash) => store.load('segments', hash),
    {
      keptMax: FILES_KEPT_MAX,
      read(bytes): ReadonlyMap<string, GivenKind> {
        try {
          return readGivenTags(bytes.toString('utf8'));
        } catch (cause) {
          throw new AppError('artifact_invalid', toMessage(cause), { cause });
        }
      },
    },
  );
  return async (segments) => (segments === undefined ? new Map() : load(segments.hash));
}
