import type { BlobStore } from '@perennial/blob-store';
import { AppError } from '@perennial/kernel';
import type { PartitionStore, ProcessorDefinition } from '@perennial/keyed-processor';
import type { StoreAddress } from '@perennial/keyed-processor/internals';
import {
  type MetaOf,
  type OnBroken,
  PORT_MUTANTS,
  type PortMutant,
  type RuleName,
  withLateBegin,
} from '@perennial/simulation';
import { withLooseOffset } from './mutants/loose-offset.js';
import { withRememberedIds } from './mutants/remembered-ids.js';

/** A mutant that breaks a rule at the ports of a real service's processor. */
export interface ChaosMutant extends PortMutant {
  /** The faults that reveal it best. */
  readonly faults: readonly string[];
  /** A mutant that loosens a fence reads the expected offset and number of commits from the store itself. */
  readonly atRedis?: (store: PartitionStore, at: StoreAddress, onBroken: OnBroken) => PartitionStore;
  /** `metaOf` returns the last commit of the process, if a snapshot may have ended there. */
  readonly inBlobs?: (blobs: BlobStore, at: { readonly metaOf: MetaOf; readonly onBroken: OnBroken }) => BlobStore;
  readonly inDefinition?: <State, Input, Evidence>(
    definition: ProcessorDefinition<State, Input, Evidence>,
    onBroken: OnBroken,
  ) => ProcessorDefinition<State, Input, Evidence>;
}

/**
 * Every rule whose breaking is visible from outside within a short run; docs/RELIABILITY.md lists the others, and why.
 */
export const MUTANT_NAMES = [
  'positions-not-checked-downstream',
  'outbox-not-republished',
  'outbox-dropped-before-acknowledged',
  'outputs-coalesced-by-batch',
  'offset-not-checked',
  'cache-kept-when-fenced',
  'duplicates-remembered-outside-commit',
  'timers-outside-commit',
  'snapshot-begun-after-its-states-were-read',
] as const satisfies readonly RuleName[];

export type MutantName = (typeof MUTANT_NAMES)[number];

export const MUTANTS: Readonly<Record<MutantName, ChaosMutant>> = {
  'positions-not-checked-downstream': {
    ...PORT_MUTANTS['positions-not-checked-downstream'],
    faults: ['redis-emptied'],
  },
  'outbox-not-republished': {
    ...PORT_MUTANTS['outbox-not-republished'],
    faults: ['kill-at-crash-point'],
  },
  'outbox-dropped-before-acknowledged': {
    ...PORT_MUTANTS['outbox-dropped-before-acknowledged'],
    faults: ['kill-at-crash-point', 'kafka-link-slow'],
  },
  'outputs-coalesced-by-batch': { ...PORT_MUTANTS['outputs-coalesced-by-batch'], faults: ['overload'] },
  'offset-not-checked': { atRedis: withLooseOffset, faults: ['redis-loses-writes'] },
  'cache-kept-when-fenced': { ...PORT_MUTANTS['cache-kept-when-fenced'], faults: ['redis-loses-writes'] },
  'duplicates-remembered-outside-commit': {
    inDefinition: withRememberedIds,
    faults: ['redis-loses-writes', 'redis-kill'],
  },
  'timers-outside-commit': {
    ...PORT_MUTANTS['timers-outside-commit'],
    faults: ['kill-at-crash-point'],
  },
  'snapshot-begun-after-its-states-were-read': { inBlobs: withLateBegin, faults: ['redis-emptied'] },
};

/** Parses the name of a mutant. Throws `config_invalid` that lists the known names. */
export function parseMutantName(text: string): MutantName {
  const found = MUTANT_NAMES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new AppError('config_invalid', `no such mutant: ${text}; there are ${MUTANT_NAMES.join(', ')}`);
}
