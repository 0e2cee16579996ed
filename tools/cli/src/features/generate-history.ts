import { CONTEXT_FIELDS } from '@perennial/contracts';
import { compileCondition, declareEventVariables, type Value } from '@perennial/expressions';
import { DAY_MS, type FeatureDefinition, type FeatureEvent } from '@perennial/feature-engine';
import { createSeededRandom } from '@perennial/kernel';

/** The year that a history lasts. */
const START_MS = Date.UTC(2025, 0, 1);
const HISTORY_MS = 365 * DAY_MS;
/** Different ids that a property has. */
const IDS = 500;
const LIST_ITEMS_MAX = 4;
/** Share of events that have a property that a condition reads. */
const FILLED = 0.7;

/** Where a profile is, if features read its clocks. */
const TIME_ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Shanghai'] as const;

/** Draws a value. */
type Draw = () => unknown;

/**
 * The events of one profile in a year, in order of time: of every name and with every property that the features read.
 * Equal seeds give equal histories.
 */
export function generateHistory(
  definitions: readonly FeatureDefinition[],
  { seed, events }: { readonly seed: number; readonly events: number },
): FeatureEvent[] {
  const random = createSeededRandom(seed);
  const kinds = listKinds(definitions);
  const properties = listProperties(definitions, random);
  const isLocal = definitions.some((definition) => 'zone' in definition && definition.zone === 'local');
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const times = Array.from({ length: events }, () => START_MS + Math.floor(random() * HISTORY_MS)).sort(
    (a, b) => a - b,
  );
  return times.map((timestampMs, index) => {
    const { type, names, currency } = pick(kinds);
    const drawn = { properties: {}, context: {} };
    for (const { path, draw } of properties) place(drawn, path, draw());
    const sent = {
      ...(currency === undefined ? {} : { currency }),
      ...(isLocal ? { timeZone: pick(TIME_ZONES) } : {}),
    };
    return { messageId: `m${index}`, type, name: pick(names), timestampMs, ...drawn, ...sent };
  });
}

interface Kind {
  readonly type: string;
  readonly names: readonly string[];
  readonly currency?: string | undefined;
}

/** Each filter once, and events that pass none that names some. */
function listKinds(definitions: readonly FeatureDefinition[]): readonly Kind[] {
  const kinds = new Map<string, Kind>([['', { type: 'page', names: ['Home'] }]]);
  for (const filter of definitions.flatMap(toFilters)) {
    const { type, name, names = [name ?? 'Something Happened'], currency } = filter;
    kinds.set(JSON.stringify([type, names, currency]), { type, names, currency });
  }
  return [...kinds.values()];
}

function toFilters(definition: FeatureDefinition) {
  const matching = 'matching' in definition ? definition.matching : undefined;
  return [definition.event, matching].filter((filter) => filter !== undefined);
}

/** A property, or a field of the context. */
interface Property {
  readonly path: readonly string[];
  readonly draw: Draw;
}

function listProperties(definitions: readonly FeatureDefinition[], random: () => number): readonly Property[] {
  const properties = new Map<string, Property>();
  const add = (path: readonly string[], draw: Draw) => {
    const key = JSON.stringify(path);
    if (!properties.has(key)) properties.set(key, { path, draw });
  };
  for (const definition of definitions) {
    if ('measure' in definition) addMeasure(definition.measure, { add, random });
    for (const { where } of toFilters(definition)) if (where !== undefined) addCondition(where, { add, random });
  }
  return [...properties.values()];
}

interface Adding {
  readonly add: (path: readonly string[], draw: Draw) => void;
  readonly random: () => number;
}

type Measure = Extract<FeatureDefinition, { measure: unknown }>['measure'];

function addMeasure(measure: Measure, { add, random }: Adding): void {
  const [property = ''] = measure.properties;
  if (measure.kind === 'amount') {
    add(['properties', property], () => Math.round(random() * 20_000) / 100);
    return;
  }
  const drawId = () => `id${Math.floor(random() * IDS)}`;
  const { list } = measure;
  if (list === undefined) add(['properties', property], drawId);
  else {
    const drawItems = () =>
      Array.from({ length: 1 + Math.floor(random() * LIST_ITEMS_MAX) }, () => ({ [property]: drawId() }));
    add(['properties', list], drawItems);
  }
}

/** A condition is fulfilled now and then if its properties have the values that it names. */
function addCondition(where: string, { add, random }: Adding): void {
  const set = declareEventVariables(CONTEXT_FIELDS);
  const compiled = compileCondition(where, set);
  const literals: readonly Value[] = compiled.ok ? [...(compiled.condition.literals ?? [])] : [];
  const values: readonly Value[] = [...literals, 1, 'x', true];
  for (const { path = [] } of set.variables) {
    add(path, () => (random() < FILLED ? values[Math.floor(random() * values.length)] : undefined));
  }
}

function place(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (value === undefined) return;
  if (rest.length === 0) {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
    return;
  }
  const inner = Object.hasOwn(target, key) ? target[key] : undefined;
  const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  place(next, rest, value);
  Object.defineProperty(target, key, { value: next, enumerable: true, writable: true, configurable: true });
}
