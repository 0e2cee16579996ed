import { readAmount, readField, readId, toUnits } from './amount.js';
import { toCanonicalJson } from './canonical.js';
import type { AmountMeasure, EventFilter, IdMeasure } from './definition.js';
import type { FeatureEvent } from './event.js';

/** One number per event that accumulators add up: 1 or 0 for a count, whole units of 1e-4 for an amount. */
export interface NumberStream {
  /** Key of the stream; equal for equal meanings. */
  readonly key: string;
  toNumber(event: FeatureEvent): number;
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
  return { key: toKey('count', filter), toNumber: (event) => (passes(event) ? 1 : 0) };
}

/** The amount of each event that passes the filter. */
export function createAmountStream(filter: EventFilter | undefined, measure: AmountMeasure): NumberStream {
  const passes = toPredicate(filter);
  const { properties, absolute } = measure;
  return {
    key: toKey('sum', filter, measure),
    toNumber(event) {
      if (!passes(event)) return 0;
      const units = toUnits(readAmount(event.properties, properties));
      return absolute ? Math.abs(units) : units;
    },
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
  const { type, name } = filter;
  if (name === undefined) return (event) => event.type === type;
  return (event) => event.type === type && event.name === name;
}

function toKey(kind: string, filter: EventFilter | undefined, measure?: AmountMeasure | IdMeasure): string {
  return toCanonicalJson({ kind, filter, measure });
}
