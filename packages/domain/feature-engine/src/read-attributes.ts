import { ATTRIBUTE_KINDS, type Attribute, type AttributeKind } from './attributes.js';
import type { FieldReader } from './field-reader.js';

/** Traits that a spec may declare: each travels with every update. */
const TRAITS_MAX = 32;
const TRAIT_NAME_CHARS_MAX = 64;

/** Reads the declared traits, such as `{plan: text, seats: number}`. */
export function readAttributes(reader: FieldReader): readonly Attribute[] {
  const traits = reader.object('traits', { isOptional: true });
  if (traits === undefined) return [];
  const names = traits.keys.toSorted();
  if (names.length > TRAITS_MAX)
    reader.reject('traits', `must be ${TRAITS_MAX} traits at most, it has ${names.length}`);
  return names.slice(0, TRAITS_MAX).map((trait) => {
    if (trait === '' || trait.length > TRAIT_NAME_CHARS_MAX) {
      traits.reject(trait, `a trait has a name of 1 to ${TRAIT_NAME_CHARS_MAX} characters`);
    }
    return { name: `traits.${trait}`, trait, kind: traits.oneOf(trait, ATTRIBUTE_KINDS) };
  });
}

/** The declaration as a spec's file has it; undefined for none. */
export function toDeclaredTraits(attributes: readonly Attribute[]): Record<string, AttributeKind> | undefined {
  if (attributes.length === 0) return undefined;
  return Object.fromEntries(attributes.map(({ trait, kind }) => [trait, kind]));
}
