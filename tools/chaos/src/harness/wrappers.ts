import type { ProcessorWrappers } from '@perennial/keyed-processor/internals';
import type { ChaosMutant } from '../mutants.js';
import { type Release, withAddedField } from '../releases.js';
import type { CrashHere } from './crash-here.js';
import { LastMetas } from './last-metas.js';

export interface WrapperOptions {
  readonly crashHere: Pick<CrashHere, 'store'>;
  readonly mutant: ChaosMutant | undefined;
  readonly release: Release | undefined;
  readonly onBroken: () => void;
}

/** The wrappers around the ports of a processor in a process of a chaos run. */
export function createWrappers({ crashHere, mutant, release, onBroken }: WrapperOptions): ProcessorWrappers {
  const thisProcess = {};
  const metas = new LastMetas();
  return {
    definition(definition) {
      const present = release === 'writes' ? withAddedField(definition) : definition;
      return mutant?.inDefinition?.(present, onBroken) ?? present;
    },
    log: (log) => mutant?.inLog?.(log, onBroken) ?? log,
    store(store, at) {
      // A process may end itself between the commits into which a mutant splits one.
      const watched = metas.watch(crashHere.store(store), at);
      const place = `${at.processor}/${at.partition}`;
      const loose = mutant?.atRedis?.(watched, at, onBroken) ?? watched;
      return mutant?.inStore?.(loose, { process: thisProcess, place, onBroken }) ?? loose;
    },
    blobs: (blobs, { processor }) =>
      mutant?.inBlobs?.(blobs, { metaOf: (partition) => metas.of(processor, partition), onBroken }) ?? blobs,
  };
}
