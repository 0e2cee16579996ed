import type { Value } from '@perennial/expressions';
import { type Sketch, SketchBuilder } from './sketch.js';

/** What is known of all profiles together, by the name of a measure: thresholds follow from it. */
export type Population = ReadonlyMap<string, Sketch>;

/** A value that is compared over a population. */
export interface Measure {
  /** Such as `rfm.money`; unique in its file. */
  readonly name: string;
  /** Of a profile, from the values of the variables; undefined for one that does not belong to the population. */
  read(values: readonly Value[]): number | undefined;
}

/** Collects what some profiles have, in any order; parts are summed by `addAll`. */
export class PopulationBuilder {
  readonly #measures: readonly Measure[];
  readonly #builders: ReadonlyMap<string, SketchBuilder>;

  constructor(measures: readonly Measure[]) {
    this.#measures = measures;
    this.#builders = new Map(measures.map(({ name }) => [name, new SketchBuilder()]));
  }

  add(values: readonly Value[]): void {
    for (const measure of this.#measures) {
      const value = measure.read(values);
      if (value !== undefined) this.#builders.get(measure.name)?.add(value);
    }
  }

  addAll(population: Population): void {
    for (const [name, sketch] of population) this.#builders.get(name)?.addAll(sketch);
  }

  build(): Population {
    return new Map([...this.#builders].map(([name, builder]) => [name, builder.build()]));
  }
}

/** JSON that is the same for the same population: `{formatVersion, measures: {name: {count, mean, buckets}}}`. */
export function encodePopulation(population: Population): Buffer {
  const measures = Object.fromEntries([...population].sort(([a], [b]) => (a < b ? -1 : 1)));
  return Buffer.from(JSON.stringify({ formatVersion: 1, measures }));
}

/** Throws for bytes that are none. */
export function decodePopulation(bytes: Buffer): Population {
  const { formatVersion, measures } = JSON.parse(bytes.toString('utf8')) as {
    formatVersion?: unknown;
    measures?: Record<string, Sketch>;
  };
  if (formatVersion !== 1 || measures === undefined) throw new Error('it is no population of format 1');
  return new Map(Object.entries(measures));
}
