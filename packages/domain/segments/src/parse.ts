import {
  condition,
  declareProfileVariables,
  duration,
  integer,
  list,
  located,
  named,
  number,
  type OnEvaluationError,
  object,
  oneOf,
  optional,
  type Parsed,
  type ProfileVariables,
  parseYaml,
  reference,
  type ShapeValue,
  text,
  type VariableSet,
  type YamlContext,
} from '@perennial/expressions';
import { must } from '@perennial/kernel';
import {
  checkAssigned,
  createAssignedShapes,
  listAssignedNames,
  type NamedSet,
  TENURE,
  toAssigned,
} from './assigned-shapes.js';
import { toClusterSegments } from './cluster.js';
import { toCohortSegments } from './cohort.js';
import { AXES, type Grid, listClassNames, toGridSegments, toGridThresholds } from './grid.js';
import { findSegmentNames } from './names.js';
import { type ReadingSegment, readsOthers, toOrder } from './order.js';
import { type Rank, toRankSegment } from './rank.js';
import type { Segment } from './segment.js';
import type { Segments } from './segments.js';

/** Segments of one file: bounds the work of a step and the size of a state. */
const SEGMENTS_MAX = 64;
const TAGS_MAX = 64;
const GRIDS_MAX = 4;

/** Faster timers would cost more than they are worth. */
const RECHECK_MIN_MS = 60_000;
const RECHECK_DEFAULT_MS = 7 * 86_400_000;

const EVENT_NAME_LENGTH_MAX = 256;

const SEGMENT_NAME = {
  pattern: /^[a-z][a-z0-9_]{0,62}$/,
  patternHint: 'lower-case letters, digits and _, a letter first, 63 at most',
};

/** A class has a name of 63 characters at most, too. */
const GRID_NAME = { pattern: /^[a-z][a-z0-9_]{0,30}$/, patternHint: 'lower-case letters, digits and _, 31 at most' };

interface ParseOptions {
  readonly fileName: string;
  readonly featureNames: readonly string[];
  /** Those among them that are days since something happened first; cohorts follow from them. Not checked when absent. */
  readonly tenureNames?: readonly string[] | undefined;
  readonly attributes?: ProfileVariables['attributes'];
  readonly headNames?: Iterable<string> | undefined;
  readonly onEvaluationError?: OnEvaluationError | undefined;
}

/**
 * Parses a `segments.yaml` (format: README of this package). Returns the segments, or every problem with file, line,
 * column and the nearest valid word. Conditions may name any head of a model, or only those of `headNames`, and the segments and tags of
 * the file.
 */
export function parseSegments(yamlText: string, options: ParseOptions): Parsed<Segments> {
  const parsed = parseFile(yamlText, { ...options, segmentNames: findSegmentNames(yamlText) });
  if (!parsed.ok || readsOthers(parsed.value.segments.values())) return parsed;
  // Variables of segments that nobody reads would have to be given values at each step.
  return parseFile(yamlText, { ...options, segmentNames: [] });
}

function parseFile(
  yamlText: string,
  options: ParseOptions & { readonly segmentNames: readonly string[] },
): Parsed<Segments> {
  const variables = declareProfileVariables(options.featureNames, options);
  const parsed = parseYaml(yamlText, createShape(variables), {
    fileName: options.fileName,
    names: { feature: options.featureNames, [TENURE]: options.tenureNames ?? options.featureNames },
    check(file, report) {
      checkRules(file, report);
      checkTags(file, report);
      checkGrids(file, report);
      checkAssigned(file, report);
      checkNames(file, report);
      checkCircles(file, report);
    },
  });
  return parsed.ok ? { ok: true, value: toSegments(parsed.value, variables) } : parsed;
}

type File = ShapeValue<ReturnType<typeof createShape>>;
type SegmentFile = File['segments'] extends ReadonlyMap<string, infer S> ? S : never;

function createShape(variables: VariableSet) {
  const eventPattern = object({
    type: text({ lengthMax: 32 }),
    name: optional(text({ lengthMax: EVENT_NAME_LENGTH_MAX }), undefined),
  });
  const segment = located(
    object({
      description: optional(text({ lengthMax: 500 }), ''),
      when: optional(condition(variables), undefined),
      did: optional(eventPattern, undefined),
      butNot: optional(eventPattern, undefined),
      within: optional(duration({ minMs: 1_000 }), undefined),
      leave: optional(condition(variables), undefined),
      minStay: optional(duration({ minMs: 0 }), 0),
      maxStay: optional(duration({ minMs: 1_000 }), undefined),
    }),
  );
  const owner = optional(text({ lengthMax: 100 }), '');
  const tag = located(
    object({
      description: optional(text({ lengthMax: 500 }), ''),
      owner,
      kind: oneOf(['rule', 'score', 'rank', 'manual', 'imported']),
      when: optional(condition(variables), undefined),
      leave: optional(condition(variables), undefined),
      minStay: optional(duration({ minMs: 0 }), 0),
      by: optional(reference('feature'), undefined),
      top: optional(integer({ min: 1, max: 1e9 }), undefined),
      topShare: optional(number({ min: 1e-6, max: 1 }), undefined),
    }),
  );
  const bounds = list(number({ min: -1e12, max: 1e12 }), { itemsMin: 1, itemsMax: 9 });
  const grid = located(
    object({
      owner,
      recency: reference('feature'),
      frequency: reference('feature'),
      money: reference('feature'),
      thresholds: optional(oneOf(['quantile', 'mean']), 'quantile' as const),
      byHand: optional(object({ recency: bounds, frequency: bounds, money: bounds }), undefined),
      levels: optional(integer({ min: 2, max: 10 }), 5),
      highFrom: optional(integer({ min: 2, max: 10 }), undefined),
    }),
  );
  return object({
    version: integer({ min: 1, max: 1 }),
    name: optional(text({ lengthMax: 100 }), 'segments'),
    recheck: optional(duration({ minMs: RECHECK_MIN_MS }), RECHECK_DEFAULT_MS),
    segments: named(segment, { ...SEGMENT_NAME, itemsMax: SEGMENTS_MAX }),
    tags: optional(named(tag, { ...SEGMENT_NAME, itemsMax: TAGS_MAX }), new Map<string, never>()),
    grids: optional(named(grid, { ...GRID_NAME, itemsMax: GRIDS_MAX }), new Map<string, never>()),
    ...createAssignedShapes(),
  });
}

function checkRules(file: File, report: YamlContext['report']): void {
  for (const [name, { value, place }] of file.segments) {
    const parts = [value.did, value.butNot, value.within];
    const present = parts.filter((part) => part !== undefined).length;
    if (present > 0 && present < parts.length) {
      report(place, `"did", "butNot" and "within" belong together: the segment "${name}" has ${present} of them`);
    }
    if (present === 0 && value.when === undefined) {
      report(place, `the segment "${name}" has no rule: it needs "when", or "did", "butNot" and "within"`);
    }
    if (value.did !== undefined && value.butNot !== undefined && isSame(value.did, value.butNot)) {
      report(value.butNot.place, `the segment "${name}" stays empty: "butNot" is the event of "did"`);
    }
    if (value.maxStay !== undefined && value.did === undefined) {
      report(place, `"maxStay" of the segment "${name}" would be undone at once: only one with "did" can have it`);
    }
    if (value.maxStay !== undefined && value.maxStay < value.minStay) {
      report(place, `"maxStay" of the segment "${name}" is shorter than its "minStay"`);
    }
  }
}

type PatternFile = NonNullable<SegmentFile['value']['did']>;

/** A pattern without a name is every event of its type, so it covers those with one. */
function isSame(did: PatternFile, butNot: PatternFile): boolean {
  return did.type === butNot.type && (butNot.name === undefined || did.name === butNot.name);
}

function checkTags(file: File, report: YamlContext['report']): void {
  for (const [name, { value, place }] of file.tags) {
    const { kind, when, by, top, topShare } = value;
    if (file.segments.has(name)) report(place, `"${name}" is the name of a segment already`);
    const isRank = kind === 'rank';
    const hasRule = [when, value.leave, by, top, topShare].some((part) => part !== undefined) || value.minStay !== 0;
    if (isGivenKind(kind)) {
      if (hasRule) report(place, `the tag "${name}" of kind ${kind} is given to profiles: it has no conditions`);
      continue;
    }
    if (!isRank && when === undefined) report(place, `the tag "${name}" of kind ${kind} needs "when"`);
    if (!isRank && (by !== undefined || top !== undefined || topShare !== undefined)) {
      report(place, `"by", "top" and "topShare" are for tags of kind rank, "${name}" is of kind ${kind}`);
    }
    if (isRank && (when !== undefined || value.leave !== undefined || value.minStay !== 0)) {
      report(place, `the tag "${name}" of kind rank has no conditions: it needs "by", and "top" or "topShare"`);
    }
    if (isRank && (by === undefined || (top === undefined) === (topShare === undefined))) {
      report(place, `the tag "${name}" of kind rank needs "by", and either "top" or "topShare"`);
    }
  }
}

function isGivenKind(kind: string): boolean {
  return kind === 'manual' || kind === 'imported';
}

/** Each segment has a name of its own, whatever it comes from. */
function checkNames(file: File, report: YamlContext['report']): void {
  const taken = new Set([...file.segments.keys(), ...file.tags.keys()]);
  const grids = [...file.grids].map(([set, { place }]): NamedSet => {
    return { set, kind: 'grid', place, names: listClassNames(set) };
  });
  for (const { set, kind, place, names } of [...grids, ...listAssignedNames(file)]) {
    const clash = names.find((name) => taken.has(name));
    const what = kind === 'grid' ? `the grid "${set}" has a class` : `the ${kind} "${set}" have one named`;
    if (clash !== undefined) report(place, `${what} "${clash}", which is a segment or tag already`);
    for (const name of names) taken.add(name);
  }
}

/** Segments that read each other have no first one to evaluate. */
function checkCircles(file: File, report: YamlContext['report']): void {
  const { circles } = toOrder(listReading(file));
  for (const circle of circles) {
    const [name = ''] = circle;
    const { place } = file.segments.get(name) ?? must(file.tags.get(name), 'a segment that reads');
    const way = circle.join(' -> ');
    report(place, circle.length === 2 ? `"${name}" reads itself` : `segments read each other in a circle: ${way}`);
  }
}

function listReading({ segments, tags }: File): ReadingSegment[] {
  return [...segments, ...tags].map(([name, { value }]) => ({ name, when: value.when, leave: value.leave }));
}

function checkGrids(file: File, report: YamlContext['report']): void {
  for (const [name, { value, place }] of file.grids) {
    for (const axis of value.byHand === undefined ? [] : AXES) {
      const bounds = value.byHand?.[axis] ?? [];
      const isAscending = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound));
      if (!isAscending) report(place, `the thresholds of ${axis} of the grid "${name}" must ascend`);
    }
  }
}

function toSegments(file: File, variables: VariableSet): Segments {
  const toSlot = (feature: string) => must(variables.slots.get(`features.${feature}`), 'the slot of a feature');
  const ranks = [...file.tags].flatMap(([name, { value }]): Rank[] => {
    const { owner, description, by, top, topShare } = value;
    if (by === undefined) return [];
    const size = top === undefined ? { share: topShare ?? 0 } : { count: top };
    return [{ name, owner, description, feature: by, slot: toSlot(by), top: size }];
  });
  const grids = [...file.grids].map(([name, { value }]): Grid => {
    const { owner, byHand, levels, highFrom } = value;
    const toAxis = (feature: string) => ({ feature, slot: toSlot(feature) });
    const axes = {
      recency: toAxis(value.recency),
      frequency: toAxis(value.frequency),
      money: toAxis(value.money),
    };
    const thresholds = byHand === undefined ? value.thresholds : 'hand';
    const hand = byHand && { recency: byHand.recency, frequency: byHand.frequency, money: byHand.money };
    return { name, owner, axes, thresholds, byHand: hand, levels, highFrom };
  });
  const assigned = toAssigned(file, variables);
  const rankByName = new Map(ranks.map((rank) => [rank.name, rank]));
  const all: Segment[] = [
    ...[...file.segments].map(([name, { value }]) => toSegment(name, value)),
    ...[...file.tags].map(([name, { value }]) => {
      const rank = rankByName.get(name);
      return rank === undefined ? toTag(name, value) : toRankSegment(rank, undefined);
    }),
    ...grids.flatMap((grid) => toGridSegments(grid, toGridThresholds(grid, undefined))),
    ...assigned.clusters.flatMap(toClusterSegments),
    ...assigned.cohorts.flatMap(toCohortSegments),
  ];
  const segments = new Map(all.map((segment) => [segment.name, segment]));
  const order = readsOthers(all) ? toOrder(all).order : undefined;
  return { name: file.name, segments, order, variables, grids, ranks, ...assigned, recheckMs: file.recheck };
}

type TagFile = File['tags'] extends ReadonlyMap<string, infer T> ? T : never;

function toTag(name: string, { kind, owner, description, when, leave, minStay }: TagFile['value']): Segment {
  const rule = { when, sequence: undefined, leave, minStayMs: minStay, maxStayMs: undefined };
  return { name, kind, owner, description, ...rule, ...(isGivenKind(kind) && { isGiven: true }), isSuspended: false };
}

function toSegment(name: string, file: SegmentFile['value']): Segment {
  const { did, butNot, within } = file;
  return {
    name,
    kind: 'segment',
    owner: '',
    description: file.description,
    when: file.when,
    sequence:
      did === undefined || butNot === undefined || within === undefined
        ? undefined
        : { did: toPattern(did), butNot: toPattern(butNot), withinMs: within },
    leave: file.leave,
    minStayMs: file.minStay,
    maxStayMs: file.maxStay,
    isSuspended: false,
  };
}

function toPattern({ type, name }: PatternFile): { type: string; name: string | undefined } {
  return { type, name };
}
