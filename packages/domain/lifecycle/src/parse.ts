import {
  type Condition,
  condition,
  declareProfileVariables,
  duration,
  flag,
  integer,
  list,
  located,
  named,
  type OnEvaluationError,
  object,
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
import type { Lifecycle, Stage, StageExit } from './chart.js';

const STAGES_MAX = 32;
const TRANSITIONS_PER_STAGE_MAX = 16;

/** Minimum recheck interval: faster timers would cost more than they are worth. */
const RECHECK_MIN_MS = 60_000;

const STAGE_NAME = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  patternHint: 'lower-case letters, digits and _, a letter first',
};

/**
 * Parses a `lifecycle.yaml` (format: README of this package). Returns the chart, or every problem with file, line,
 * column and the nearest valid word. Conditions may name any head of a model, or only those of `headNames`.
 */
export function parseLifecycle(
  yamlText: string,
  options: {
    fileName: string;
    featureNames: readonly string[];
    attributes?: ProfileVariables['attributes'];
    headNames?: Iterable<string> | undefined;
    onEvaluationError?: OnEvaluationError | undefined;
  },
): Parsed<Lifecycle> {
  const variables = declareProfileVariables(options.featureNames, options);
  const parsed = parseYaml(yamlText, createShape(variables), { fileName: options.fileName, check: checkTransitions });
  return parsed.ok ? { ok: true, value: toLifecycle(parsed.value, variables) } : parsed;
}

type FileShape = ReturnType<typeof createShape>;
type File = ShapeValue<FileShape>;

function createShape(variables: VariableSet) {
  const stageName = reference('stage');
  const transition = object({
    to: located(stageName),
    when: optional(condition(variables), undefined),
    absence: optional(duration({ minMs: 1_000 }), undefined),
    minDwell: optional(duration({ minMs: 0 }), undefined),
    back: optional(flag(), false),
    reason: optional(text({ lengthMax: 200 }), undefined),
  });
  const stage = object({
    description: optional(text({ lengthMax: 500 }), ''),
    enter: optional(condition(variables), undefined),
    stay: optional(condition(variables), undefined),
    minDwell: optional(duration({ minMs: 0 }), 0),
    recheck: optional(duration({ minMs: RECHECK_MIN_MS }), undefined),
    transitions: optional(list(transition, { itemsMax: TRANSITIONS_PER_STAGE_MAX }), []),
  });
  return object({
    version: integer({ min: 1, max: 1 }),
    name: optional(text({ lengthMax: 100 }), 'lifecycle'),
    initial: stageName,
    stages: named(stage, { ...STAGE_NAME, itemsMax: STAGES_MAX, declares: 'stage' }),
  });
}

function checkTransitions(file: File, report: YamlContext['report']): void {
  for (const [name, stage] of file.stages) {
    for (const transition of stage.transitions) {
      if (transition.to.value === name) report(transition.to.place, 'a transition leads to another stage');
      if (transition.back && stage.stay === undefined) {
        report(transition.place, `"back" waits for the end of "stay", and the stage "${name}" has none`);
      }
      const target = file.stages.get(transition.to.value);
      if (target !== undefined && transition.absence === undefined && toCondition(transition, target) === undefined) {
        report(
          transition.place,
          `a transition needs "when", "absence", or an "enter" condition of "${transition.to.value}"`,
        );
      }
    }
  }
}

type StageFile = File['stages'] extends ReadonlyMap<string, infer S> ? S : never;
type TransitionFile = StageFile['transitions'][number];

/** The transition's own condition, else its target's `enter` condition (unless absence alone decides). */
function toCondition(transition: TransitionFile, target: StageFile): Condition | undefined {
  return transition.when ?? (transition.absence === undefined ? target.enter : undefined);
}

function toLifecycle(file: File, variables: VariableSet): Lifecycle {
  const stages = new Map([...file.stages].map(([name, stage]) => [name, toStage(name, stage, file)]));
  return { name: file.name, initial: file.initial, stages, variables };
}

function toStage(name: string, stage: StageFile, file: File): Stage {
  const transitions = stage.transitions.map((transition): StageExit => {
    const target = file.stages.get(transition.to.value) ?? stage;
    return {
      to: transition.to.value,
      when: toCondition(transition, target),
      absenceMs: transition.absence,
      dwellMs: transition.minDwell ?? stage.minDwell,
      back: transition.back,
      reason: transition.reason ?? (target.description || `enters ${transition.to.value}`),
    };
  });
  return { name, description: stage.description, stay: stage.stay, recheckMs: stage.recheck, transitions };
}
