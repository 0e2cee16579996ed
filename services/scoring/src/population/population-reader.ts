import { type ArtifactStore, createArtifactCache } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import { AppError, isAppError, toMessage } from '@perennial/kernel';
import { decodePopulation, type Population, type Segments, withPopulation } from '@perennial/segments';

/** Each partition may have another one in force, during a rollout. */
const POPULATIONS_KEPT_MAX = 8;

/** Populations by hash, and segments whose thresholds follow from them: each pair is built once while it is used. */
export function createPopulationReader(store: Pick<ArtifactStore, 'load'>) {
  const built = new WeakMap<Population, WeakMap<Segments, Segments>>();
  const load: (hash: string) => Promise<Population> = createArtifactCache(
    'population',
    (hash) => store.load('population', hash),
    {
      keptMax: POPULATIONS_KEPT_MAX,
      read(bytes): Population {
        try {
          return decodePopulation(bytes);
        } catch (cause) {
          throw new AppError('artifact_invalid', toMessage(cause), { cause });
        }
      },
    },
  );
  return {
    load,
    async apply(segments: Segments, hash: string): Promise<Segments> {
      const population = await load(hash);
      const known = built.get(population) ?? new WeakMap<Segments, Segments>();
      built.set(population, known);
      const applied = known.get(segments) ?? withPopulation(segments, population);
      known.set(segments, applied);
      return applied;
    },
    async loadRollout({ kind, hash }: Rollout): Promise<{ readonly reason: string } | undefined> {
      try {
        await load(hash);
        return undefined;
      } catch (error) {
        if (isAppError(error, 'artifact_invalid')) return { reason: `${kind} ${hash} is invalid: ${error.message}` };
        throw error;
      }
    },
  };
}
