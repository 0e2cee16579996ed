import {
  integer,
  list,
  located,
  named,
  number,
  object,
  oneOf,
  optional,
  type Place,
  reference,
  type Shape,
  type ShapeValue,
  text,
  type VariableSet,
  type YamlContext,
} from '@perennial/expressions';
import { must } from '@perennial/kernel';
import { type ClusterSet, toClusterName } from './cluster.js';
import { COHORTS_DEFAULT, COHORTS_MAX, type CohortSet, listCohortNames, toCohortBounds } from './cohort.js';

/** Sets of each kind in a file. */
const SETS_MAX = 4;
/** Features of a cluster set, and its clusters: bounds the work of a step. */
const FEATURES_MAX = 16;
const CLUSTERS_MIN = 2;
const CLUSTERS_MAX = 20;

const VALUE_MAX = 1e12;
const CLIP_DEFAULT = 5;

/** How problems name a feature that cohorts can follow from. */
export const TENURE = 'days_since_first feature';

/** A segment has a name of 63 characters at most: that of the set, and of one in it. */
const SET_NAME = { pattern: /^[a-z][a-z0-9_]{0,30}$/, patternHint: 'lower-case letters, digits and _, 31 at most' };

/** The parts of a `segments.yaml` whose segments profiles are assigned to. */
export function createAssignedShapes() {
  const owner = optional(text({ lengthMax: 100 }), '');
  const value = number({ min: -VALUE_MAX, max: VALUE_MAX });
  const feature = located(
    object({
      feature: reference('feature'),
      median: value,
      scale: number({ min: 1e-9, max: VALUE_MAX }),
      missing: optional(value, undefined),
    }),
  );
  const centre = located(
    object({
      name: text({ lengthMax: 31, pattern: /^[a-z0-9_]+$/, patternHint: 'a name of lower-case letters, digits and _' }),
      description: optional(text({ lengthMax: 500 }), ''),
      at: list(value, { itemsMin: 1, itemsMax: FEATURES_MAX }),
    }),
  );
  const clusters = located(
    object({
      owner,
      clip: optional(number({ min: 0.1, max: 1_000 }), CLIP_DEFAULT),
      margin: optional(number({ min: 0, max: 0.9 }), 0),
      features: list(feature, { itemsMin: 1, itemsMax: FEATURES_MAX }),
      centres: list(centre, { itemsMin: CLUSTERS_MIN, itemsMax: CLUSTERS_MAX }),
    }),
  );
  const cohorts = located(
    object({
      owner,
      by: optional(oneOf(['month', 'week']), 'month' as const),
      since: reference(TENURE),
      from: text({ lengthMax: 10 }),
      count: optional(integer({ min: 1, max: COHORTS_MAX }), COHORTS_DEFAULT),
    }),
  );
  return { clusters: toSets(clusters), cohorts: toSets(cohorts) };
}

function toSets<Set>(set: Shape<Set>) {
  return optional(named(set, { ...SET_NAME, itemsMax: SETS_MAX }), new Map<string, never>());
}

type Shapes = ReturnType<typeof createAssignedShapes>;
type Assigned = { readonly [Name in keyof Shapes]: ShapeValue<Shapes[Name]> };

/** Reports centres that do not fit their features, what is there twice, and periods that begin in the middle. */
export function checkAssigned({ clusters, cohorts }: Assigned, report: YamlContext['report']): void {
  for (const [set, { value }] of clusters) {
    const [features, names] = [new Set<string>(), new Set<string>()];
    for (const {
      value: { feature },
      place,
    } of value.features) {
      if (features.has(feature)) report(place, `the clusters "${set}" have the feature "${feature}" twice`);
      features.add(feature);
    }
    for (const {
      value: { name, at },
      place,
    } of value.centres) {
      if (names.has(name)) report(place, `the clusters "${set}" have a centre "${name}" already`);
      names.add(name);
      if (at.length === value.features.length) continue;
      report(
        place,
        `the centre "${name}" has ${at.length} numbers, and the clusters ${value.features.length} features`,
      );
    }
  }
  for (const [set, { value, place }] of cohorts) {
    if (toCohortBounds(value) !== undefined) continue;
    const needed = value.by === 'month' ? 'a month such as 2026-03' : 'a Monday such as 2026-03-02';
    report(place, `"from" of the cohorts "${set}" is "${value.from}", ${needed} is needed`);
  }
}

/** The names of the segments that a set of a file makes. */
export interface NamedSet {
  readonly set: string;
  readonly kind: 'grid' | 'clusters' | 'cohorts';
  readonly place: Place;
  readonly names: readonly string[];
}

export function listAssignedNames({ clusters, cohorts }: Assigned): readonly NamedSet[] {
  return [
    ...[...clusters].map(([set, { value, place }]): NamedSet => {
      return {
        set,
        kind: 'clusters',
        place,
        names: value.centres.map(({ value: { name } }) => toClusterName(set, name)),
      };
    }),
    ...[...cohorts].map(([set, { value, place }]): NamedSet => {
      const bounds = toCohortBounds(value);
      return { set, kind: 'cohorts', place, names: bounds === undefined ? [] : listCohortNames(set, value.by, bounds) };
    }),
  ];
}

/** The sets of a file that was checked. */
export function toAssigned(
  { clusters, cohorts }: Assigned,
  { slots }: VariableSet,
): { readonly clusters: readonly ClusterSet[]; readonly cohorts: readonly CohortSet[] } {
  const toSlot = (feature: string) => must(slots.get(`features.${feature}`), 'the slot of a feature');
  return {
    clusters: [...clusters].map(
      ([
        name,
        {
          value: { owner, clip, margin, features, centres },
        },
      ]) => ({
        ...{ name, owner, clip, margin },
        features: features.map(({ value: { feature, median, scale, missing } }) => ({
          feature,
          median,
          scale,
          missing,
        })),
        clusters: centres.map(({ value: { name: own, description, at } }) => ({ name: own, description, centre: at })),
        slots: features.map(({ value: { feature } }) => toSlot(feature)),
      }),
    ),
    cohorts: [...cohorts].map(([name, { value }]) => {
      const bounds = must(toCohortBounds(value), 'the periods of cohorts');
      const { owner, by, since } = value;
      return { name, owner, by, since, slot: toSlot(since), bounds, names: listCohortNames(name, by, bounds) };
    }),
  };
}
