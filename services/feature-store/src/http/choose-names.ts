import { AppError } from '@perennial/kernel';
import type { ServedProfile } from '../domain/serve.js';

/** Names listed of those that do not exist. */
const UNKNOWN_LISTED_MAX = 10;

/** The names of a request: comma-separated in a query, a list in a body; undefined for all. */
export function parseNames(names: string | readonly string[] | undefined): readonly string[] | undefined {
  if (names === undefined) return undefined;
  return typeof names === 'string' ? names.split(',') : names;
}

/**
 * A profile with only some of its features. Throws `contract_violation` with all names that the spec in force lacks: a
 * feature that is misspelled must not look like one without a value.
 */
export function chooseNames(served: ServedProfile, names: readonly string[] | undefined): ServedProfile {
  if (names === undefined) return served;
  const unknown = names.filter((name) => !Object.hasOwn(served.features, name));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, UNKNOWN_LISTED_MAX).map((name) => JSON.stringify(name));
    throw new AppError('contract_violation', `names: the spec in force has no feature ${shown.join(', ')}`);
  }
  const pick = <T>(from: Readonly<Record<string, T>>) =>
    Object.fromEntries(names.map((name) => [name, from[name] as T]));
  const inexact = served.inexact.filter((name) => names.includes(name));
  return { ...served, features: pick(served.features), inexact, units: pick(served.units) };
}
