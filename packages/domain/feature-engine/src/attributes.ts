import type { ProfileVariables } from '@perennial/expressions';
import { unreachable } from '@perennial/kernel';

/** What a trait is declared to be; its value is missing where it is something else. */
export const ATTRIBUTE_KINDS = ['text', 'number', 'boolean', 'time'] as const;
export type AttributeKind = (typeof ATTRIBUTE_KINDS)[number];

/** What an attribute is: a trait of the profile, a trait of its account, or a feature of its account. */
type AttributeSource = 'trait' | 'account_trait' | 'account_feature';

/**
 * What conditions may read of a profile besides its features, as far as the spec declares it. Attributes stand in a spec in the
 * order of their names, and travel beside the vector in that order.
 */
export interface Attribute {
  /** As conditions name it: `traits.plan`, `account.traits.seats`, `account.events_count_7d`. */
  readonly name: string;
  readonly source: AttributeSource;
  /** Name of the trait or feature: `plan`. */
  readonly of: string;
  readonly kind: AttributeKind;
}

/** Of a time, its UTC ms; null for no value. */
export type AttributeValue = string | number | boolean | null;

const DAY_MS = 86_400_000;

/** The names that conditions may read under a spec. A time is read as the days since then, negative for one to come. */
export function toConditionNames(spec: {
  readonly names: readonly string[];
  readonly attributes: readonly Attribute[];
}): { readonly featureNames: readonly string[]; readonly attributes: NonNullable<ProfileVariables['attributes']> } {
  return {
    featureNames: spec.names,
    attributes: spec.attributes.map(({ name, kind }) => ({ name, kind: toVariableKind(kind) })),
  };
}

/** Names of the features that are the days since something happened first. */
export function listTenures(spec: {
  readonly definitions: ReadonlyArray<{ readonly name: string; readonly aggregation: string }>;
}): string[] {
  return spec.definitions.flatMap(({ name, aggregation }) => (aggregation === 'days_since_first' ? [name] : []));
}

/** Attributes as conditions read them at a time. */
export function toConditionValues(
  attributes: readonly Attribute[],
  values: readonly AttributeValue[],
  atMs: number,
): readonly AttributeValue[] {
  return values.map((value, index) =>
    attributes[index]?.kind === 'time' && typeof value === 'number' ? (atMs - value) / DAY_MS : value,
  );
}

/** Values in the order of other attributes; those that have another kind there are missing. */
export function reorderAttributes(
  values: readonly AttributeValue[],
  { from, to }: { readonly from: readonly Attribute[]; readonly to: readonly Attribute[] },
): readonly AttributeValue[] {
  // Nearly all specs declare none, and nearly all updates were made under the spec in force.
  if (from === to || values.length === 0) return to.length === 0 ? [] : values;
  return to.map(({ name, kind }) => {
    const place = from.findIndex((attribute) => attribute.name === name && attribute.kind === kind);
    return values[place] ?? null;
  });
}

function toVariableKind(kind: AttributeKind): 'string' | 'number' | 'boolean' {
  switch (kind) {
    case 'text':
      return 'string';
    case 'number':
    case 'time':
      return 'number';
    case 'boolean':
      return kind;
    default:
      return unreachable(kind);
  }
}
