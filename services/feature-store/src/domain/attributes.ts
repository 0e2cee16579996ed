import type { AttributeValue, CompiledFeatures } from '@perennial/feature-engine';
import type { About, TraitValue } from '@perennial/traits';
import { type AccountFacts, type AccountValues, toAccountId } from './account.js';

type Attribute = CompiledFeatures['attributes'][number];

const NONE: readonly AttributeValue[] = [];

/** The attributes that a spec declares, as a profile has them. Most specs declare none, so that they cost nothing. */
export function readAttributes(
  { attributes }: Pick<CompiledFeatures, 'attributes'>,
  { about, account }: { readonly about?: About | undefined; readonly account?: AccountFacts | undefined },
): readonly AttributeValue[] {
  if (attributes.length === 0 || about === undefined) return NONE;
  const traits = toCurrent(about);
  // What another account has reported is not said of this one.
  const reported = account !== undefined && account.id === toAccountId(about) ? account.values : {};
  return attributes.map(({ name, source, of, kind }) =>
    source === 'trait' ? toValue(traits.get(of), kind) : (reported[name] ?? null),
  );
}

/** What an account has for its members: the declared ones of its traits and its features. */
export function readAccount(
  { attributes, names }: Pick<CompiledFeatures, 'attributes' | 'names'>,
  { about, values }: { readonly about: About | undefined; readonly values: readonly number[] },
): AccountValues {
  const traits = about === undefined ? new Map() : toCurrent(about);
  return Object.fromEntries(
    attributes.flatMap(({ name, source, of, kind }): Array<[string, AttributeValue]> => {
      if (source === 'trait') return [];
      if (source === 'account_trait') return [[name, toValue(traits.get(of), kind)]];
      const value = values[names.indexOf(of)];
      return [[name, value === undefined || Number.isNaN(value) ? null : value]];
    }),
  );
}

function toCurrent({ traits }: About): ReadonlyMap<string, TraitValue | undefined> {
  return new Map(traits.map(({ name, values }) => [name, values[0]?.value]));
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
