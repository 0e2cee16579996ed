import { readField } from '@perennial/commerce';
import { readAmount, readId, toUnits } from './amount.js';
import { toCanonicalJson } from './canonical.js';
import { conditionOf } from './conditions.js';
import {
  type AmountDefinition,
  type AmountMeasure,
  type EventFilter,
  type IdMeasure,
  MONEY_UNIT,
} from './definition.js';
import { type FeatureEvent, isWorthMeasure, readMoney } from './event.js';
import { SQUARE_LIMBS, toSquareLimb } from './square-limbs.js';

/** One number per event that accumulators add up: 1 or 0 for a count, whole units of 1e-4 for an amount, limbs of a square. */
export interface NumberStream {
  /** Key of the stream; equal for equal meanings. */
  readonly key: string;
  toNumber(event: FeatureEvent): number;
  /** True for what an order is worth: it is added when the order is known without an amount. */
  readonly isWorth: boolean;
}

/** The ids in each event. */
export interface IdStream {
  readonly key: string;
  toIds(event: FeatureEvent): readonly string[];
}

/** An event in the form that accumulators read: its time, and one entry per stream in the order of the plan. */
export interface MeasuredEvent {
  readonly timestampMs: number;
  readonly numbers: readonly number[];
  readonly ids: ReadonlyArray<readonly string[]>;
}

const NO_IDS: readonly string[] = [];

/** 1 for each event that passes the filter. */
export function createCountStream(filter: EventFilter | undefined): NumberStream {
  const passes = toPredicate(filter);
  return { key: toKey('count', filter), isWorth: false, toNumber: (event) => (passes(event) ? 1 : 0) };
}

/** The streams of one measure. Each is a number by itself, so that tiles and totals add up and merge them exactly. */
export interface AmountStreams {
  /** The amount; money in the namespace's currency. */
  readonly sum: NumberStream;
  /** 1 for each event that has the amount. */
  readonly known: NumberStream;
  /** The square of the amount: its limbs, least significant first. */
  readonly squares: readonly NumberStream[];
}

/** The amounts of the events that pass the filter. */
export function createAmountStreams({ event: filter, measure, unit }: AmountDefinition): AmountStreams {
  const passes = toPredicate(filter);
  const { properties, absolute } = measure;
  const isMoney = unit === MONEY_UNIT;
  const read = (event: FeatureEvent) => {
    if (!passes(event)) return undefined;
    return isMoney ? readMoney(event, properties) : readAmount(event.properties, properties);
  };
  // The unit is not part of a key: a spec has each measure in one unit, and states of earlier releases keep their columns.
  const toStream = (kind: string, toNumber: NumberStream['toNumber']): NumberStream => ({
    key: toKey(kind, filter, measure),
    isWorth: isMoney && isWorthMeasure(properties),
    toNumber,
  });
  return {
    sum: toStream('sum', (event) => (absolute ? Math.abs(toUnits(read(event))) : toUnits(read(event)))),
    known: toStream('known', (event) => (read(event) === undefined ? 0 : 1)),
    squares: Array.from({ length: SQUARE_LIMBS }, (_, limb) =>
      toStream(`square${limb}`, (event) => toSquareLimb(toUnits(read(event)), limb)),
    ),
  };
}

/** The ids of each event that passes the filter. */
export function createIdStream(filter: EventFilter | undefined, measure: IdMeasure): IdStream {
  const passes = toPredicate(filter);
  return {
    key: toKey('ids', filter, measure),
    toIds: (event) => (passes(event) ? readIds(event.properties, measure) : NO_IDS),
  };
}

function readIds(properties: unknown, { list, properties: names }: IdMeasure): readonly string[] {
  const listed = list === undefined ? undefined : readField(properties, list);
  const things: readonly unknown[] = Array.isArray(listed) ? listed : [properties];
  const ids: string[] = [];
  for (const thing of things) {
    const id = readId(thing, names);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

function toPredicate(filter: EventFilter | undefined): (event: FeatureEvent) => boolean {
  if (filter === undefined) return () => true;
  const isNamed = toNamePredicate(filter);
  if (filter.where === undefined) return isNamed;
  const condition = conditionOf(filter.where);
  return (event) => isNamed(event) && condition.holds(event);
}

function toNamePredicate({ type, name, names }: EventFilter): (event: FeatureEvent) => boolean {
  if (names !== undefined) {
    const known = new Set(names);
    return (event) => event.type === type && known.has(event.name);
  }
  if (name === undefined) return (event) => event.type === type;
  return (event) => event.type === type && event.name === name;
}

function toKey(kind: string, filter: EventFilter | undefined, measure?: AmountMeasure | IdMeasure): string {
  return toCanonicalJson({ kind, filter, measure });
}
