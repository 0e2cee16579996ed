import { must, toSha256 } from '@perennial/kernel';
import type { FeatureDefinition, FeatureRules } from './definition.js';

/** Raised when the meaning of an aggregation changes but its definition does not. Part of every feature's hash. */
const SEMANTICS_VERSION = 2;

/** JSON with sorted keys and without absent ones: equal values give equal text, whatever their key order was. */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** SHA-256 in hex of what each feature of a spec means, in order. */
export function toFeatureHashes(definitions: readonly FeatureDefinition[]): string[] {
  const direct = new Map(
    definitions.flatMap((definition) =>
      definition.aggregation === 'ratio' ? [] : [[definition.name, toFeatureHash(definition)] as const],
    ),
  );
  return definitions.map((definition) => {
    if (definition.aggregation !== 'ratio') return must(direct.get(definition.name), 'a hash');
    // What the two features mean is part of what their ratio means; what they are called is not.
    const [numerator, denominator] = [definition.numerator, definition.denominator].map((name) =>
      must(direct.get(name), 'the hash of a feature that is no ratio'),
    ) as [string, string];
    return toFeatureHash({ ...definition, numerator, denominator });
  });
}

/** Of the definition without the name, and of the version of the semantics. */
function toFeatureHash({ name: _, ...meaning }: FeatureDefinition): string {
  return toSha256(toCanonicalJson({ semantics: SEMANTICS_VERSION, meaning }));
}

/** Hash of a spec: over names and hashes in the order of its vectors, over the rules that are not the default, and over attributes. */
export function toSpecHash(
  features: ReadonlyArray<{ readonly name: string; readonly hash: string }>,
  {
    repeatedOrders,
    attributes,
    corrections,
  }: Required<Pick<FeatureRules, 'repeatedOrders' | 'attributes'>> & Pick<FeatureRules, 'corrections'>,
): string {
  return toSha256(
    toCanonicalJson([
      ...features.map(({ name, hash }) => [name, hash]),
      ...(repeatedOrders === 'once' ? [] : [{ repeatedOrders }]),
      ...(attributes.length === 0 ? [] : [{ attributes }]),
      ...(corrections === undefined ? [] : [{ corrections }]),
    ]),
  );
}
