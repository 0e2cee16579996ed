import {
  condition,
  declareProfileVariables,
  duration,
  integer,
  located,
  named,
  type OnEvaluationError,
  object,
  optional,
  type Parsed,
  type ProfileVariables,
  parseYaml,
  type ShapeValue,
  text,
  type VariableSet,
  type YamlContext,
} from '@perennial/expressions';
import type { Segment, Segments } from './segment.js';

/** Segments of one file: bounds the work of a step and the size of a state. */
const SEGMENTS_MAX = 64;

/** Faster timers would cost more than they are worth. */
const RECHECK_MIN_MS = 60_000;
const RECHECK_DEFAULT_MS = 7 * 86_400_000;

const EVENT_NAME_LENGTH_MAX = 256;

const SEGMENT_NAME = {
  pattern: /^[a-z][a-z0-9_]{0,62}$/,
  patternHint: 'lower-case letters, digits and _, a letter first, 63 at most',
};

/**
 * Parses a `segments.yaml` (format: README of this package). Returns the segments, or every problem with file, line,
 * column and the nearest valid word. Conditions may name any head of a model, or only those of `headNames`.
 */
export function parseSegments(
  yamlText: string,
  options: {
    fileName: string;
    featureNames: readonly string[];
    attributes?: ProfileVariables['attributes'];
    headNames?: Iterable<string> | undefined;
    onEvaluationError?: OnEvaluationError | undefined;
  },
): Parsed<Segments> {
  const variables = declareProfileVariables(options.featureNames, options);
  const parsed = parseYaml(yamlText, createShape(variables), { fileName: options.fileName, check: checkRules });
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
  return object({
    version: integer({ min: 1, max: 1 }),
    name: optional(text({ lengthMax: 100 }), 'segments'),
    recheck: optional(duration({ minMs: RECHECK_MIN_MS }), RECHECK_DEFAULT_MS),
    segments: named(segment, { ...SEGMENT_NAME, itemsMax: SEGMENTS_MAX }),
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

function toSegments(file: File, variables: VariableSet): Segments {
  const segments = new Map([...file.segments].map(([name, { value }]) => [name, toSegment(name, value)]));
  return { name: file.name, segments, variables, recheckMs: file.recheck };
}

function toSegment(name: string, file: SegmentFile['value']): Segment {
  const { did, butNot, within } = file;
  return {
    name,
    description: file.description,
    when: file.when,
    sequence:
      did === undefined || butNot === undefined || within === undefined
        ? undefined
        : { did: toPattern(did), butNot: toPattern(butNot), withinMs: within },
    leave: file.leave,
    minStayMs: file.minStay,
    maxStayMs: file.maxStay,
  };
}

function toPattern({ type, name }: PatternFile): { type: string; name: string | undefined } {
  return { type, name };
}
