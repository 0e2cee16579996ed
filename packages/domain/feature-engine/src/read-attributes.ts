import { findNearest } from '@perennial/expressions';
import { ATTRIBUTE_KINDS, type Attribute, type AttributeKind } from './attributes.js';
import type { FieldReader } from './field-reader.js';
import type { SpecProblem } from './spec-problem.js';

/** Traits that a spec may declare, of profiles and of accounts each: all travel with every update. */
const TRAITS_MAX = 32;
const TRAIT_NAME_CHARS_MAX = 64;
/** Features of accounts that members may read. */
const ACCOUNT_FEATURES_MAX = 16;

/** Reads what is declared beside the features, such as `{traits: {plan: text}, account: {features: [orders_count_7d]}}`. */
export function readAttributes(reader: FieldReader): readonly Attribute[] {
  const account = reader.object('account', { isOptional: true });
  const features =
    account?.has('features') === true ? account.texts('features', { itemsMax: ACCOUNT_FEATURES_MAX }) : [];
  const attributes: Attribute[] = [
    ...readTraits(reader, 'traits').map(({ of, kind }) => ({
      name: `traits.${of}`,
      source: 'trait' as const,
      of,
      kind,
    })),
    ...(account === undefined ? [] : readTraits(account, 'traits')).map(({ of, kind }) => {
      return { name: `account.traits.${of}`, source: 'account_trait' as const, of, kind };
    }),
    ...features.map((of) => ({
      name: `account.${of}`,
      source: 'account_feature' as const,
      of,
      kind: 'number' as const,
    })),
  ];
  account?.finish();
  return attributes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Features of accounts are computed as those of profiles are: each must be one of the spec. */
export function listUnknownFeatures(
  attributes: readonly Attribute[],
  definitions: ReadonlyArray<{ readonly name: string }>,
): SpecProblem[] {
  const names = definitions.map(({ name }) => name);
  return attributes.flatMap(({ source, of }) => {
    if (source !== 'account_feature' || names.includes(of)) return [];
    const suggestion = findNearest(of, names);
    return [{ path: ['account', 'features'], message: `there is no feature "${of}"`, suggestion }];
  });
}

function readTraits(reader: FieldReader, name: string): ReadonlyArray<Pick<Attribute, 'of' | 'kind'>> {
  const traits = reader.object(name, { isOptional: true });
  if (traits === undefined) return [];
  const names = traits.keys;
  if (names.length > TRAITS_MAX) reader.reject(name, `must be ${TRAITS_MAX} traits at most, it has ${names.length}`);
  return names.slice(0, TRAITS_MAX).map((of) => {
    if (of === '' || of.length > TRAIT_NAME_CHARS_MAX) {
      traits.reject(of, `a trait has a name of 1 to ${TRAIT_NAME_CHARS_MAX} characters`);
    }
    return { of, kind: traits.oneOf(of, ATTRIBUTE_KINDS) };
  });
}

/** The declaration as a spec's file has it; nothing where nothing is declared. */
export function toDeclared(attributes: readonly Attribute[]): object {
  const traits = toTraits(attributes, 'trait');
  const account = {
    traits: toTraits(attributes, 'account_trait'),
    features: toUndefinedIfEmpty(attributes.flatMap(({ source, of }) => (source === 'account_feature' ? [of] : []))),
  };
  const hasAccount = account.traits !== undefined || account.features !== undefined;
  return { traits, account: hasAccount ? account : undefined };
}

function toTraits(
  attributes: readonly Attribute[],
  wanted: Attribute['source'],
): Record<string, AttributeKind> | undefined {
  const entries = attributes.flatMap(({ source, of, kind }) => (source === wanted ? [[of, kind] as const] : []));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function toUndefinedIfEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}
