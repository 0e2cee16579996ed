import {
  describeMissingHeads,
  listHeads,
  type OnEvaluationError,
  requireValid,
  type VariableSet,
} from '@perennial/expressions';
import { type CompiledFeatures, listTenures, oncePerSpec, toConditionNames } from '@perennial/feature-engine';
import { type Lifecycle, parseLifecycle } from '@perennial/lifecycle';
import type { ModelManifest } from '@perennial/model-manifest';
import { parseSegments, type Segments } from '@perennial/segments';

/** Rules with conditions compiled for the vectors of a spec; throws `config_invalid` for features it lacks. */
export type BySpec<Rules> = (spec: CompiledFeatures) => Rules;

/** Invariant: a chart and segments read only heads of the model in force, whichever came last. */
export function findMissingHeads(
  rules: { readonly variables: VariableSet },
  manifest: ModelManifest,
): string | undefined {
  return describeMissingHeads(listHeads(rules.variables), manifest.slots.keys());
}

interface ReadRules {
  readonly fileName: string;
  readonly spec: CompiledFeatures;
  /** The heads that conditions may read; any head when absent. */
  readonly headNames?: Iterable<string> | undefined;
  readonly onConditionError?: OnEvaluationError | undefined;
}

/** Parses a chart from its YAML; throws `config_invalid` with every problem, one per line. */
export function readLifecycle(yaml: Buffer, options: ReadRules): Lifecycle {
  return requireValid(parseLifecycle(yaml.toString('utf8'), toParseOptions(options)));
}

/** Parses segments from their YAML; throws `config_invalid` with every problem, one per line. */
export function readSegments(yaml: Buffer, options: ReadRules): Segments {
  const tenureNames = listTenures(options.spec);
  return requireValid(parseSegments(yaml.toString('utf8'), { ...toParseOptions(options), tenureNames }));
}

function toParseOptions({ spec, onConditionError, ...options }: ReadRules) {
  return { ...options, ...toConditionNames(spec), onEvaluationError: onConditionError };
}

/** A reader of registered rules, which compiles them once for each spec. */
export function toRulesReader<Rules extends object>(
  read: (yaml: Buffer, options: ReadRules) => Rules,
  options: Omit<ReadRules, 'spec'>,
): (yaml: Buffer) => BySpec<Rules> {
  return (yaml) => oncePerSpec((spec) => read(yaml, { ...options, spec }));
}
