import type { Condition, Value } from '@perennial/expressions';
import type { Measure, Population } from './population/population.js';
import { toQuantile } from './population/sketch.js';
import type { Segment } from './segment.js';

export const AXES = ['recency', 'frequency', 'money'] as const;
type Axis = (typeof AXES)[number];

/** Recent, frequent, valuable: the eight classes that are customary in CRM, from best to worst. */
const RFM_CLASSES = [
  { name: 'important_value', text: 'recent, frequent, valuable', high: [true, true, true] },
  { name: 'important_develop', text: 'recent, not frequent, valuable', high: [true, false, true] },
  { name: 'important_retain', text: 'not recent, frequent, valuable', high: [false, true, true] },
  { name: 'important_win_back', text: 'not recent, not frequent, valuable', high: [false, false, true] },
  { name: 'general_value', text: 'recent, frequent, less valuable', high: [true, true, false] },
  { name: 'general_develop', text: 'recent, not frequent, less valuable', high: [true, false, false] },
  { name: 'general_retain', text: 'not recent, frequent, less valuable', high: [false, true, false] },
  { name: 'general_win_back', text: 'not recent, not frequent, less valuable', high: [false, false, false] },
] as const;

/** Customers by recency, frequency and money: each of them is in exactly one of eight classes. */
export interface Grid {
  readonly name: string;
  readonly owner: string;
  /** The features, and where their values stand. */
  readonly axes: Readonly<Record<Axis, { readonly feature: string; readonly slot: number }>>;
  readonly thresholds: 'quantile' | 'mean' | 'hand';
  /** Ascending, for `hand`. */
  readonly byHand: Readonly<Record<Axis, readonly number[]>> | undefined;
  /** Levels of an axis for `quantile`: 5 for fifths. */
  readonly levels: number;
  /** The level from which on an axis counts as high; undefined for the upper half. */
  readonly highFrom: number | undefined;
}

/** Ascending, by axis: of n thresholds an axis has the levels 1 to n + 1, and of recency less is better. */
export type GridThresholds = Record<Axis, number[]>;

/** Names of the classes as segments. */
export function listClassNames(grid: string): string[] {
  return RFM_CLASSES.map(({ name }) => `${grid}_${name}`);
}

/** Who has never ordered is no customer, so in no class and no part of the population. */
function readAxes({ axes }: Grid, values: readonly Value[]): readonly [number, number, number] | undefined {
  const [recency, frequency, money] = AXES.map((axis) => values[axes[axis].slot]);
  if (!isNumber(recency) || !isNumber(frequency) || !isNumber(money) || frequency <= 0) return undefined;
  return [recency, frequency, money];
}

function isNumber(value: Value): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

/** None for thresholds by hand. */
export function listGridMeasures(grid: Grid): Measure[] {
  if (grid.thresholds === 'hand') return [];
  return AXES.map((axis, index) => ({
    name: `${grid.name}.${axis}`,
    read: (values) => readAxes(grid, values)?.[index],
  }));
}

/** Undefined while nothing is known of the population. */
export function toGridThresholds(grid: Grid, population: Population | undefined): GridThresholds | undefined {
  const { byHand } = grid;
  if (byHand !== undefined) {
    return { recency: [...byHand.recency], frequency: [...byHand.frequency], money: [...byHand.money] };
  }
  const sketches = AXES.map((axis) => population?.get(`${grid.name}.${axis}`));
  const [recency, frequency, money] = sketches.map((sketch) => {
    if (sketch === undefined || sketch.count === 0) return undefined;
    if (grid.thresholds === 'mean') return [sketch.mean];
    return Array.from({ length: grid.levels - 1 }, (_, index) => toQuantile(sketch, (index + 1) / grid.levels));
  });
  return recency && frequency && money && { recency, frequency, money };
}

/** The classes as segments; without thresholds nobody enters or leaves them. */
export function toGridSegments(grid: Grid, thresholds: GridThresholds | undefined): Segment[] {
  const reads = AXES.map((axis) => `features.${grid.axes[axis].feature}`);
  // The eight conditions of a step ask about the same values: 1 us for all of them, not 4.
  let asked: { readonly values: readonly Value[]; readonly found: number | undefined } | undefined;
  const findOnce = (bounds: GridThresholds, values: readonly Value[]) => {
    if (asked?.values !== values) asked = { values, found: findClass(grid, bounds, values) };
    return asked.found;
  };
  return RFM_CLASSES.map((klass, number): Segment => {
    const when: Condition = {
      source: `class "${klass.name}" of the grid ${grid.name}`,
      reads,
      literals: undefined,
      test: (values) => thresholds !== undefined && findOnce(thresholds, values) === number,
    };
    return {
      name: `${grid.name}_${klass.name}`,
      kind: 'class',
      owner: grid.owner,
      description: klass.text,
      when,
      sequence: undefined,
      leave: undefined,
      minStayMs: 0,
      maxStayMs: undefined,
      isSuspended: thresholds === undefined,
    };
  });
}

/** Index of the class; undefined for no customer. */
function findClass(grid: Grid, thresholds: GridThresholds, values: readonly Value[]): number | undefined {
  const found = readAxes(grid, values);
  if (found === undefined) return undefined;
  const [r, f, m] = AXES.map((axis, index) => {
    const bounds = thresholds[axis];
    const value = found[index] ?? 0;
    const passed = bounds.filter((bound) => (axis === 'recency' ? value <= bound : value > bound)).length;
    return passed + 1 >= (grid.highFrom ?? Math.floor((bounds.length + 1) / 2) + 1);
  });
  return RFM_CLASSES.findIndex(({ high }) => high[0] === r && high[1] === f && high[2] === m);
}
