import { findNearest, toCanonicalCondition } from '@perennial/expressions';
import { findConditionProblem } from './conditions.js';
import { FEATURES_MAX } from './definition.js';
import { isObject } from './field-reader.js';
import type { SpecPath, SpecProblem } from './spec-problem.js';

/** One feature as JSON has it, and where in the file each part of it comes from. */
export interface ExpandedFeature {
  readonly json: unknown;
  /** Its key in the file. */
  readonly key: string;
  /** Path in the file of a part of the feature. */
  toFilePath(part: SpecPath): SpecPath;
}

/** Filters and measures that features refer to by name. */
export interface Aliases {
  readonly events: ReadonlyMap<string, unknown>;
  readonly measures: ReadonlyMap<string, unknown>;
}

/** Keys whose list stands for several features, with the key that each of them has instead, and its place in the name. */
const LISTS = [
  { list: 'aggregations', single: 'aggregation' },
  { list: 'windows', single: 'window' },
  { list: 'currencies', single: 'currency' },
] as const;

/** Items of one such list. */
const ITEMS_MAX = 16;

/** A window that is none: all of a profile's life. */
const ALL = 'all';

/**
 * The features that one entry of a file stands for: one for each of its `aggregations`, `windows` and `currencies`, in that order, with
 * `{aggregation}`, `{window}` and `{currency}` in its name replaced. The features of a currency have it in their filter.
 */
export function expandFeature(
  [key, value]: readonly [string, unknown],
  aliases: Aliases,
  problems: SpecProblem[],
): ExpandedFeature[] {
  const path = ['features', key];
  if (!isObject(value)) {
    problems.push({ path, part: 'key', message: 'must be a mapping of keys to values' });
    return [];
  }
  const found = problems.length;
  const choices = LISTS.map((kind) => toChoices(value, { ...kind, key, problems }));
  // What is wrong with them would be reported once more for each of the features.
  if (problems.length > found) return [];
  const shared = resolveAliases(value, { path, aliases, problems });
  if ('measure' in shared.json && shared.json.measure === undefined) return [];
  const { windows: _, aggregations: __, where: ___, currencies: ____, ...rest } = value;
  if (chosenCurrencies(choices).length > 0 && value.event === undefined) {
    problems.push({ path, part: 'key', message: 'needs an "event" whose currency it is of' });
    return [];
  }
  const combined = choices.reduce<ReadonlyArray<readonly Choice[]>>(
    (before, more) => before.flatMap((chosen) => more.map((choice) => [...chosen, choice])),
    [[]],
  );
  return combined.slice(0, FEATURES_MAX + 1).map((chosen) => {
    const own = Object.fromEntries(chosen.flatMap(({ single, item }) => (item === undefined ? [] : [[single, item]])));
    const json: Record<string, unknown> = { ...rest, ...shared.json, ...own, name: toName(key, chosen) };
    if (json.window === ALL) delete json.window;
    if (json.currency !== undefined) {
      if (isObject(json.event)) json.event = { ...json.event, currency: json.currency };
      delete json.currency;
    }
    return { json, key, toFilePath: (part) => toFilePath(part, { path, chosen, shared }) };
  });
}

function chosenCurrencies(choices: ReadonlyArray<readonly Choice[]>): readonly Choice[] {
  return choices.flat().filter(({ single, item }) => single === 'currency' && item !== undefined);
}

/** One of the items that a key lists; `index` is undefined where the file has the single key. */
interface Choice {
  readonly single: string;
  readonly item: unknown;
  readonly list?: string;
  readonly index?: number;
}

function toChoices(
  feature: Readonly<Record<string, unknown>>,
  {
    list,
    single,
    key,
    problems,
  }: { readonly list: string; readonly single: string; readonly key: string; readonly problems: SpecProblem[] },
): readonly Choice[] {
  const path = ['features', key];
  const isInName = key.includes(`{${single}}`);
  if (!Object.hasOwn(feature, list)) {
    if (isInName && !Object.hasOwn(feature, single)) {
      problems.push({ path, part: 'key', message: `has {${single}} in its name, but no "${list}"` });
    }
    return [{ single, item: feature[single] }];
  }
  const items = feature[list];
  if (Object.hasOwn(feature, single)) {
    problems.push({ path: [...path, single], part: 'key', message: `cannot stand beside "${list}"` });
  }
  if (!Array.isArray(items) || items.length === 0 || items.length > ITEMS_MAX) {
    problems.push({ path: [...path, list], message: `must be a list of 1 to ${ITEMS_MAX}` });
    return [];
  }
  if (items.length > 1 && !isInName) {
    problems.push({
      path,
      part: 'key',
      message: `is one name for several features: it needs {${single}} for its "${list}"`,
    });
  }
  return items.map((item: unknown, index) => ({ single, item, list, index }));
}

function toName(key: string, chosen: readonly Choice[]): string {
  return chosen.reduce((name, { single, item }) => name.replaceAll(`{${single}}`, toNamePart(single, item)), key);
}

/** Names are in small letters, codes of currencies in capitals. */
function toNamePart(single: string, item: unknown): string {
  return single === 'currency' ? String(item).toLowerCase() : String(item);
}

/** Names that a feature uses in place of a filter or a measure, by key. */
type Referred = ReadonlyMap<string, SpecPath>;

interface Resolved {
  readonly json: Readonly<Record<string, unknown>>;
  readonly referred: Referred;
  /** The feature has a condition of its own. */
  readonly isRestricted: boolean;
}

function resolveAliases(
  feature: Readonly<Record<string, unknown>>,
  { path, aliases, problems }: { readonly path: SpecPath; readonly aliases: Aliases; readonly problems: SpecProblem[] },
): Resolved {
  const json: Record<string, unknown> = {};
  const referred = new Map<string, SpecPath>();
  for (const [key, group] of [
    ['event', 'events'],
    ['matching', 'events'],
    ['measure', 'measures'],
  ] as const) {
    const name = feature[key];
    if (typeof name !== 'string') continue;
    const known = aliases[group];
    referred.set(key, [group, name]);
    json[key] = known.get(name);
    if (!known.has(name)) {
      const suggestion = findNearest(name, known.keys());
      problems.push({ path: [...path, key], message: `there is no "${name}" among the ${group}`, suggestion });
    }
  }
  if (!Object.hasOwn(feature, 'where')) return { json, referred, isRestricted: false };
  const where = [...path, 'where'];
  if (feature.event === undefined) {
    problems.push({ path: where, part: 'key', message: 'needs an "event" that it is a condition on' });
  }
  const event = restrict('event' in json ? json.event : feature.event, feature.where, { path: where, problems });
  return { json: { ...json, event }, referred, isRestricted: true };
}

/** The filter with the feature's own condition besides its own. */
function restrict(
  event: unknown,
  where: unknown,
  { path, problems }: { readonly path: SpecPath; readonly problems: SpecProblem[] },
): unknown {
  if (typeof where !== 'string') {
    problems.push({ path, message: 'must be a condition on properties' });
    return event;
  }
  const problem = findConditionProblem(where);
  if (problem !== undefined) problems.push({ path, ...problem });
  if (!isObject(event)) return event;
  if (typeof event.where !== 'string') return { ...event, where };
  return { ...event, where: `(${toCanonicalCondition(event.where)}) && (${toCanonicalCondition(where)})` };
}

/** Undefined where the filter itself has the currency. */
function toCurrencyPath(path: SpecPath, chosen: readonly Choice[]): SpecPath | undefined {
  const choice = chosen.find(({ single, item }) => single === 'currency' && item !== undefined);
  if (choice === undefined) return undefined;
  const { list, index } = choice;
  return list === undefined || index === undefined ? [...path, 'currency'] : [...path, list, index];
}

function toFilePath(
  part: SpecPath,
  { path, chosen, shared }: { readonly path: SpecPath; readonly chosen: readonly Choice[]; readonly shared: Resolved },
): SpecPath {
  const [first, ...rest] = part;
  if (first === 'name') return path;
  const choice = chosen.find(({ single }) => single === first);
  if (choice?.list !== undefined && choice.index !== undefined) return [...path, choice.list, choice.index];
  if (first === 'event' && rest[0] === 'currency') return toCurrencyPath(path, chosen) ?? [...path, ...part];
  if (first === 'event' && rest[0] === 'where' && shared.isRestricted) return [...path, 'where'];
  const alias = shared.referred.get(String(first));
  return alias === undefined || rest.length === 0 ? [...path, ...part] : [...alias, ...rest];
}
