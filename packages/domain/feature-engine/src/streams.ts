import { readField } from '@perennial/commerce';
import { isBehaviour } from '@perennial/contracts';
import { readAmount, readId, toUnits } from './amount.js';
import { toCanonicalJson } from './canonical.js';
import { conditionOf, type FailedCondition } from './conditions.js';
import { type AmountDefinition, type EventFilter, type IdMeasure, isMoney } from './definition.js';
import { type FeatureEvent, readMoney, readSent } from './event.js';
import { toLocalMs } from './local-time.js';
import { type Predicate, toNamedPredicate } from './named.js';
import { isOfWorth } from './of-worth.js';
import { isLeftOut } from './outlying.js';
import { SQUARE_LIMBS, toSquareLimb } from './square-limbs.js';
import { toHour, toWeekday } from './time.js';

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
  /** The event adds only the amount of an order that counted before. */
  readonly isCompletion: boolean;
  /** As the event has it. */
  readonly timeZone?: string | undefined;
  /** Conditions that threw, and so held for none of this; absent nearly always. */
  readonly failed?: readonly FailedCondition[] | undefined;
}

const NO_IDS: readonly string[] = [];

/** What an event must also be, besides passing a filter. */
export interface Also {
  readonly matching?: EventFilter;
  /** Of the day. */
  readonly hours?: readonly number[];
  /** Of the week: 1 is Monday. */
  readonly weekdays?: readonly number[];
  /** Of the event's own time zone; UTC where absent. */
  readonly zone?: 'local' | undefined;
}

/** 1 for each event that passes the filter. */
export function createCountStream(filter: EventFilter | undefined, also: Also = {}): NumberStream {
  const passes = toPredicate(filter, also);
  return {
    key: toCanonicalJson({ kind: 'count', filter, ...also }),
    isWorth: false,
    toNumber: (event) => (passes(event) ? 1 : 0),
  };
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
export function createAmountStreams(definition: AmountDefinition, also: Also = {}): AmountStreams {
  const { event: filter, measure } = definition;
  const passes = toPredicate(filter, also);
  const { properties, absolute } = measure;
  const isConverted = isMoney(definition);
  const isSent = filter?.currency !== undefined;
  const read = (event: FeatureEvent) => {
    if (!passes(event) || isLeftOut(event, definition)) return undefined;
    if (isSent) return readSent(event, properties);
    return isConverted ? readMoney(event, properties) : readAmount(event.properties, properties);
  };
  // The unit is not part of a key: a spec has each measure in one unit, and states of earlier releases keep their columns.
  const toStream = (kind: string, toNumber: NumberStream['toNumber']): NumberStream => ({
    key: toCanonicalJson({ kind, filter, measure, ...also }),
    isWorth: isOfWorth(definition),
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
    key: toCanonicalJson({ kind: 'ids', filter, measure }),
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

function toPredicate(filter: EventFilter | undefined, { matching, hours, weekdays, zone }: Also = {}): Predicate {
  const all = [toFilterPredicate(filter)];
  if (matching !== undefined) all.push(toFilterPredicate(matching));
  const toClock = ({ timestampMs, timeZone }: FeatureEvent) =>
    zone === 'local' ? toLocalMs(timestampMs, timeZone) : timestampMs;
  if (hours !== undefined) all.push((event) => hours.includes(toHour(toClock(event))));
  if (weekdays !== undefined) all.push((event) => weekdays.includes(toWeekday(toClock(event))));
  const [first] = all;
  return all.length === 1 && first !== undefined ? first : (event) => all.every((passes) => passes(event));
}

export function toFilterPredicate(filter: EventFilter | undefined): Predicate {
  if (filter === undefined) return ({ type }) => isBehaviour(type);
  const isNamed = toNamedPredicate(filter);
  if (filter.where === undefined) return isNamed;
  const condition = conditionOf(filter.where);
  return (event) => isNamed(event) && condition.holds(event);
}
