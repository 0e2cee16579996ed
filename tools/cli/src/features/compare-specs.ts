import type { CompiledFeatures } from '@perennial/feature-engine';

/** What becomes of a feature when one spec follows another. */
type FeatureChange = 'added' | 'removed' | 'changed' | 'kept';

export interface ComparedFeature {
  readonly name: string;
  /** `changed`: the same name with another definition, which a model that needs the old one does not take. */
  readonly change: FeatureChange;
}

interface Named {
  readonly name: string;
  /** Of the definition. */
  readonly hash: string;
}

/** Each feature of two specs, by name, in the order of the later spec; those that it lacks come last. */
export function compareSpecs(
  before: Pick<CompiledFeatures, 'features'>,
  after: Pick<CompiledFeatures, 'features'>,
): readonly ComparedFeature[] {
  return compare(before.features, after.features);
}

/** The declared traits likewise, as `traits.plan`; `changed` is one of another kind. */
export function compareTraits(
  before: Pick<CompiledFeatures, 'attributes'>,
  after: Pick<CompiledFeatures, 'attributes'>,
): readonly ComparedFeature[] {
  return compare(before.attributes.map(toNamed), after.attributes.map(toNamed));
}

function toNamed({ name, kind }: CompiledFeatures['attributes'][number]): Named {
  return { name, hash: kind };
}

function compare(before: readonly Named[], after: readonly Named[]): readonly ComparedFeature[] {
  const old = new Map(before.map(({ name, hash }) => [name, hash]));
  const present = after.map(({ name, hash }) => ({ name, change: toChange(old.get(name), hash) }));
  const names = new Set(after.map(({ name }) => name));
  const removed = before.filter(({ name }) => !names.has(name));
  return [...present, ...removed.map(({ name }) => ({ name, change: 'removed' as const }))];
}

function toChange(before: string | undefined, after: string): FeatureChange {
  if (before === undefined) return 'added';
  return before === after ? 'kept' : 'changed';
}
