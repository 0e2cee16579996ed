import { LEARNING_ARMS, layOutTraffic } from '@perennial/experiments';
import {
  list,
  located,
  named,
  number,
  object,
  oneOf,
  optional,
  reference,
  type ShapeValue,
  text,
  type YamlContext,
} from '@perennial/expressions';
import type { PolicyExperiment } from './policy.js';

const EXPERIMENTS_MAX = 32;
const ARMS_MAX = 16;
const STRATEGIES_MAX = 64;

type File = ShapeValue<ReturnType<typeof createExperiments>>;
type ExperimentFile = NonNullable<File> extends ReadonlyMap<string, infer E> ? E : never;

/** The form of `experiments:`; absent where the policy has none. */
export function createExperiments(name: { readonly pattern: RegExp; readonly patternHint: string }) {
  const strategies = list(located(reference('strategy')), { itemsMax: STRATEGIES_MAX });
  const arm = object({
    weight: optional(number({ min: 0.001, max: 1e6 }), 1),
    strategies: optional(strategies, undefined),
  });
  const experiment = object({
    description: optional(text({ lengthMax: 500 }), ''),
    kind: optional(oneOf(['fixed', 'learning']), 'fixed' as const),
    layer: optional(text({ lengthMax: 63, ...name }), 'default'),
    salt: optional(text({ lengthMax: 100 }), ''),
    traffic: optional(number({ min: 0, max: 1 }), 1),
    from: optional(number({ min: 0, max: 1 }), undefined),
    strategies: list(located(reference('strategy')), { itemsMin: 1, itemsMax: STRATEGIES_MAX }),
    control: optional(located(text({ lengthMax: 63 })), undefined),
    arms: optional(named(arm, { ...name, itemsMax: ARMS_MAX }), undefined),
  });
  return optional(named(experiment, { ...name, itemsMax: EXPERIMENTS_MAX }), undefined);
}

interface CheckedFile {
  readonly experiments: File;
  readonly strategies: ReadonlyMap<string, { readonly cooldown: number }>;
}

/** What no form can say: traffic that overlaps, a strategy of two experiments or without a cooldown, arms that are none. */
export function checkExperiments({ experiments: file, strategies }: CheckedFile, report: YamlContext['report']): void {
  if (file === undefined) return;
  const slices = layOut(file);
  const governed = new Map<string, string>();
  [...file].forEach(([name, experiment], index) => {
    if (slices[index] === undefined) {
      report(
        experiment.place,
        `the traffic of "${name}" overlaps another experiment of the layer "${experiment.layer}", or ends above 1`,
      );
    }
    for (const { value, place } of experiment.strategies) {
      const other = governed.get(value);
      if (other !== undefined) report(place, `"${value}" belongs to the experiment "${other}" already`);
      else governed.set(value, name);
      // A holdout has no contact that a cap could count: without a cooldown each score would expose it again.
      if (strategies.get(value)?.cooldown === 0)
        report(place, `"${value}" needs a cooldown, as it is in an experiment`);
    }
    checkArms(experiment, report);
  });
}

function checkArms({ kind, arms, control, strategies, place }: ExperimentFile, report: YamlContext['report']): void {
  if (arms === undefined && kind === 'fixed') {
    report(place, '"arms" are needed, unless its kind is learning');
    return;
  }
  const names = toArmNames(arms);
  if (names.length < 2) report(place, 'an experiment needs two arms or more');
  if (control !== undefined && !names.includes(control.value)) {
    report(control.place, `unknown arm "${control.value}"; there are ${names.join(', ')}`);
  }
  const own = new Set(strategies.map(({ value }) => value));
  const others = [...(arms?.values() ?? [])]
    .flatMap((arm) => arm.strategies ?? [])
    .filter(({ value }) => !own.has(value));
  for (const { value, place: at } of others) report(at, `"${value}" is not among the experiment's strategies`);
}

function toArmNames(arms: ExperimentFile['arms']): readonly string[] {
  return arms === undefined ? LEARNING_ARMS.map(({ name }) => name) : [...arms.keys()];
}

/** By the name of each strategy that an experiment decides about. */
export function toExperimentOf(file: File): ReadonlyMap<string, PolicyExperiment> {
  const slices = layOut(file ?? new Map());
  const experimentOf = new Map<string, PolicyExperiment>();
  [...(file ?? [])].forEach(([name, experiment], index) => {
    const { layer, salt, strategies, control } = experiment;
    const arms = toArms(experiment);
    const first = experiment.arms === undefined ? 'usual' : (arms[0]?.name ?? '');
    const slice = slices[index] ?? { from: 0, to: 0 };
    const parsed = { name, layer, salt, slice, arms, control: control?.value ?? first };
    for (const { value } of strategies) experimentOf.set(value, parsed);
  });
  return experimentOf;
}

function toArms({ arms, strategies }: ExperimentFile): PolicyExperiment['arms'] {
  const all = new Set(strategies.map(({ value }) => value));
  if (arms === undefined) {
    return LEARNING_ARMS.map((arm) => ({ ...arm, strategies: arm.name === 'holdout' ? new Set<string>() : all }));
  }
  return [...arms].map(([name, arm]) => ({
    name,
    weight: arm.weight,
    strategies: arm.strategies === undefined ? all : new Set(arm.strategies.map(({ value }) => value)),
  }));
}

function layOut(file: NonNullable<File>) {
  return layOutTraffic([...file.values()].map(({ layer, traffic, from }) => ({ layer, share: traffic, from })));
}
