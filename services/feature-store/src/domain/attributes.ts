import type { AttributeValue, CompiledFeatures } from '@perennial/feature-engine';
import type { About, TraitValue } from '@perennial/traits';

type Attribute = CompiledFeatures['attributes'][number];

const NONE: readonly AttributeValue[] = [];

/** The attributes that a spec declares, as a profile has them. Most specs declare none, so that they cost nothing. */
export function readAttributes(
  { attributes }: Pick<CompiledFeatures, 'attributes'>,
  about: About | undefined,
): readonly AttributeValue[] {
  if (attributes.length === 0 || about === undefined || about.traits.length === 0) return NONE;
  const current = new Map(about.traits.map(({ name, values }) => [name, values[0]?.value]));
  return attributes.map(({ trait, kind }) => toValue(current.get(trait), kind));
}

/** Missing where the profile has none, or one of another kind. */
function toValue(value: TraitValue | undefined, kind: Attribute['kind']): AttributeValue {
  switch (value?.kind) {
    case 'text':
      return kind === 'text' ? value.text : null;
    case 'number':
      return kind === 'number' ? value.number : null;
    case 'flag':
      return kind === 'boolean' ? value.flag : null;
    case 'time':
      return kind === 'time' ? value.timeMs : null;
    case 'removed':
    case undefined:
      return null;
  }
}
