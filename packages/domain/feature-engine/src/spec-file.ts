import { findNearest } from '@perennial/expressions';
import { toMessage } from '@perennial/kernel';
import { toCanonicalJson } from './canonical.js';
import { type CorrectionRules, KEPT_ORDERS_MAX } from './corrections/correction-rules.js';
import {
  AGGREGATIONS,
  type Aggregation,
  FEATURES_MAX,
  type FeatureDefinition,
  type FeatureRules,
  type FeatureSpec,
  isMoney,
  MONEY_UNIT,
} from './definition.js';
import { FieldReader, isObject } from './field-reader.js';
import {
  readAmount,
  readFilter,
  readGap,
  readHalfLife,
  readIds,
  readMatching,
  readRank,
  readZone,
} from './measure-reader.js';
import { REPEATED_ORDERS } from './order-memory.js';
import { listUnknownFeatures, readAttributes, toDeclared } from './read-attributes.js';
import { formatSpecProblem, type SpecProblem } from './spec-problem.js';
import { DAY_MS } from './time.js';
import { toWindowText } from './window.js';

/** The definitions in a spec's bytes, or all problems. */
export type ParsedSpec =
  | ({ readonly ok: true } & FeatureSpec)
  | { readonly ok: false; readonly problems: readonly string[] };

/** Raised when an existing file would be read in another way. */
const SPEC_FILE_VERSION = 1;

/** Maximum bytes of one spec. */
export const SPEC_BYTES_MAX = 1_048_576;

/** Reads a spec: `{"version": 1, "features": [...]}`. Each problem is reported once, with its path. */
export function parseFeatureSpec(bytes: Uint8Array): ParsedSpec {
  if (bytes.length > SPEC_BYTES_MAX) {
    return { ok: false, problems: [`a feature spec has ${SPEC_BYTES_MAX} bytes at most, this has ${bytes.length}`] };
  }
  const problems: SpecProblem[] = [];
  const reader = new FieldReader(parseJson(bytes, problems), [], problems);
  if (problems.length > 0) return toInvalid(problems);
  const rules = readRules(reader);
  const features = reader.list('features', { itemsMax: FEATURES_MAX });
  reader.finish();
  const definitions = readDefinitions(features, { problems, toLabel: (index) => `features[${index}]` });
  if (problems.length === 0) problems.push(...listUnknownFeatures(rules.attributes ?? [], definitions));
  return problems.length > 0 ? toInvalid(problems) : { ok: true, definitions, rules };
}

/** The version and the rules besides the features. */
export function readRules(reader: FieldReader): FeatureRules {
  reader.literal('version', SPEC_FILE_VERSION);
  const attributes = readAttributes(reader);
  const repeatedOrders = reader.has('repeatedOrders') ? reader.oneOf('repeatedOrders', REPEATED_ORDERS) : undefined;
  const corrections = reader.has('corrections') ? readCorrections(reader) : undefined;
  if (corrections !== undefined && repeatedOrders === 'each') {
    reader.reject('corrections', 'needs orders that count once: leave repeatedOrders out');
  }
  return {
    ...(repeatedOrders === undefined ? {} : { repeatedOrders }),
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(corrections === undefined ? {} : { corrections }),
  };
}

function readCorrections(reader: FieldReader): CorrectionRules | undefined {
  const rules = reader.object('corrections');
  if (rules === undefined) return undefined;
  const keep = rules.number('keep', { min: 1, max: KEPT_ORDERS_MAX, isWhole: true });
  const cancelled = rules.has('cancelled') ? rules.texts('cancelled').toSorted() : [];
  rules.finish();
  return { keep, cancelled };
}

/** Problems found so far, and what a feature is called in those about two of them. */
interface DefinitionContext {
  readonly problems: SpecProblem[];
  readonly toLabel: (index: number) => string;
}

/** Reads the features of a spec and checks them against each other; with problems the result is incomplete. */
export function readDefinitions(features: readonly unknown[], context: DefinitionContext): FeatureDefinition[] {
  const { problems } = context;
  const definitions = features.map((item, index) =>
    readDefinition(new FieldReader(item, ['features', index], problems)),
  );
  listClashes(features, context);
  if (problems.length === 0) {
    listUnitClashes(definitions, context);
    listRatioProblems(definitions, problems);
  }
  return definitions;
}

function toInvalid(problems: readonly SpecProblem[]): ParsedSpec {
  return { ok: false, problems: problems.map(formatSpecProblem) };
}

/** Canonical bytes of a spec: equal definitions in an equal order give equal bytes, and so one artifact. */
export function encodeFeatureSpec(
  definitions: readonly FeatureDefinition[],
  { repeatedOrders = 'once', attributes = [], corrections }: FeatureRules = {},
): Buffer {
  const features = definitions.map(toFileForm);
  const rules = {
    ...(repeatedOrders === 'once' ? {} : { repeatedOrders }),
    ...toDeclared(attributes),
    ...toCorrectionsForm(corrections),
  };
  return Buffer.from(toCanonicalJson({ version: SPEC_FILE_VERSION, ...rules, features }));
}

function toCorrectionsForm(corrections: CorrectionRules | undefined): { readonly corrections?: object } {
  if (corrections === undefined) return {};
  const { keep, cancelled } = corrections;
  return { corrections: { keep, ...(cancelled.length === 0 ? {} : { cancelled }) } };
}

/** Each length of time as text, under its name without the unit. */
function toFileForm(definition: FeatureDefinition): object {
  const toText = ([key, value]: [string, unknown]) =>
    key.endsWith('Ms') && typeof value === 'number' ? [key.slice(0, -2), toWindowText(value)] : [key, value];
  return Object.fromEntries(Object.entries(definition).map(toText));
}

/** When there are problems the value is incomplete, so it is not returned. */
function readDefinition(reader: FieldReader): FeatureDefinition {
  const base = {
    name: reader.text('name', { pattern: /^[a-z][a-z0-9_]{0,63}$/, hint: 'small letters, digits and _, 64 at most' }),
    unit: reader.text('unit', { pattern: /^[a-z][a-z0-9_]{0,31}$/, hint: 'small letters, digits and _, 32 at most' }),
  };
  const aggregation = reader.oneOf('aggregation', AGGREGATIONS);
  // A ratio has the events of its two features.
  const event = aggregation === 'ratio' ? undefined : readFilter(reader);
  const definition = readAggregation(reader, { ...base, event }, aggregation);
  reader.finish();
  return definition;
}

type Base = Pick<FeatureDefinition, 'name' | 'unit' | 'event'>;

function readAggregation(reader: FieldReader, base: Base, aggregation: Aggregation): FeatureDefinition {
  switch (aggregation) {
    case 'count':
      return { ...base, aggregation, windowMs: reader.window() };
    case 'trend':
      return { ...base, aggregation, windowMs: reader.window({ isRequired: true }) ?? 0 };
    case 'sessions_count':
    case 'session_length_mean':
      return { ...base, aggregation, gapMs: readGap(reader), windowMs: reader.window({ isRequired: true }) ?? 0 };
    case 'active_days':
    case 'streak':
    case 'longest_streak':
      return { ...base, aggregation, ...readZone(reader), windowMs: reader.window({ minMs: DAY_MS }) };
    case 'gap_quantile':
      return { ...base, aggregation, quantile: reader.number('quantile', { min: 0, max: 1 }) };
    case 'share':
      return { ...base, aggregation, matching: readMatching(reader), windowMs: reader.window() };
    case 'amount_share':
      return {
        ...base,
        aggregation,
        matching: readMatching(reader),
        measure: readAmount(reader),
        money: reader.has('money') && reader.flag('money'),
        windowMs: reader.window(),
      };
    case 'hour_share':
      return {
        ...base,
        aggregation,
        hours: reader.choices('hours', { min: 0, max: 23 }),
        ...readZone(reader),
        windowMs: reader.window(),
      };
    case 'weekday_share':
      return {
        ...base,
        aggregation,
        weekdays: reader.choices('weekdays', { min: 1, max: 7 }),
        ...readZone(reader),
        windowMs: reader.window(),
      };
    case 'decayed_count':
      return { ...base, aggregation, halfLifeMs: readHalfLife(reader) };
    case 'decayed_sum':
      return { ...base, aggregation, measure: readAmount(reader), halfLifeMs: readHalfLife(reader) };
    case 'ratio':
      return { ...base, aggregation, numerator: reader.text('numerator'), denominator: reader.text('denominator') };
    case 'sum':
    case 'mean':
    case 'std':
    case 'min':
    case 'max':
    case 'first':
    case 'last':
      return { ...base, aggregation, measure: readAmount(reader), windowMs: reader.window() };
    case 'top_count':
    case 'top_share':
      return { ...base, aggregation, measure: readIds(reader), rank: readRank(reader), windowMs: reader.window() };
    case 'entropy':
    case 'distinct':
      return { ...base, aggregation, measure: readIds(reader), windowMs: reader.window() };
    default:
      return { ...base, aggregation };
  }
}

function listClashes(features: readonly unknown[], { problems, toLabel }: DefinitionContext): void {
  const places = new Map<unknown, number>();
  features.forEach((feature, index) => {
    const name = isObject(feature) ? feature.name : undefined;
    const before = places.get(name);
    if (typeof name !== 'string') return;
    if (before === undefined) places.set(name, index);
    else
      problems.push({
        path: ['features', index, 'name'],
        message: `"${name}" is the name of ${toLabel(before)} already`,
      });
  });
}

/** Money is converted and other amounts are not: features that share one sum must agree on which it is. */
function listUnitClashes(definitions: readonly FeatureDefinition[], { problems, toLabel }: DefinitionContext): void {
  const first = new Map<string, { readonly index: number; readonly isConverted: boolean }>();
  definitions.forEach((definition, index) => {
    if (!('measure' in definition) || definition.measure.kind !== 'amount') return;
    const { event, measure } = definition;
    const key = toCanonicalJson({ event, measure });
    const isConverted = isMoney(definition);
    const before = first.get(key);
    if (before === undefined) first.set(key, { index, isConverted });
    else if (before.isConverted !== isConverted) {
      const also = `${toLabel(before.index)} reads the same measure`;
      const isShare = definition.aggregation === 'amount_share';
      const means = isShare ? 'be money' : `have the unit "${MONEY_UNIT}"`;
      problems.push({
        path: ['features', index, isShare ? 'money' : 'unit'],
        message: `${also}, so both must ${means}, or neither`,
      });
    }
  });
}

/** A ratio is of two features that are none themselves, so no definition can depend on itself. */
function listRatioProblems(definitions: readonly FeatureDefinition[], problems: SpecProblem[]): void {
  const aggregations = new Map(definitions.map(({ name, aggregation }) => [name, aggregation]));
  definitions.forEach((definition, index) => {
    if (definition.aggregation !== 'ratio') return;
    for (const side of ['numerator', 'denominator'] as const) {
      const name = definition[side];
      const path = ['features', index, side];
      if (name === definition.name) problems.push({ path, message: `"${name}" is the feature itself` });
      else if (!aggregations.has(name))
        problems.push({
          path,
          message: `there is no feature "${name}"`,
          suggestion: findNearest(name, aggregations.keys()),
        });
      else if (aggregations.get(name) === 'ratio') problems.push({ path, message: `"${name}" is itself a ratio` });
    }
  });
}

function parseJson(bytes: Uint8Array, problems: SpecProblem[]): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    problems.push({ path: [], message: `is not JSON: ${toMessage(error)}` });
    return undefined;
  }
}
