import { type CompiledFeatures, type FeatureDefinition, toWindowText } from '@perennial/feature-engine';
import { Command } from 'commander';
import { type ComparedFeature, compareSpecs, compareTraits } from '../features/compare-specs.js';
import { createDriftCommand } from '../features/drift-command.js';
import { createFillCommand } from '../features/fill-command.js';
import { createOracleCommand } from '../features/oracle-command.js';
import { DEFAULT_SPEC, readSpec } from '../features/read-spec.js';
import { line, printJson, printLine, toShortHash, toTable } from '../output.js';
import { createCostCommand } from './features-cost.js';

interface Options {
  readonly json?: boolean;
}

export function createFeaturesCommand(): Command {
  return new Command('features')
    .addCommand(createCheckCommand())
    .addCommand(createListCommand())
    .addCommand(createDiffCommand())
    .addCommand(createCostCommand())
    .addCommand(createOracleCommand())
    .addCommand(createFillCommand())
    .addCommand(createDriftCommand());
}

function createCheckCommand(): Command {
  return new Command('check')
    .description('read a feature spec as the platform would, and list all problems at once; starts nothing')
    .argument('<file>', 'the spec: YAML, or the JSON of an artifact')
    .option('--json', 'print {specHash, features, traits}')
    .addHelpText('after', '\nExample:\n  ./perennial features check features.yaml')
    .action((file: string, { json }: Options) => {
      const spec = readSpec(file);
      const [features, traits] = [spec.names.length, spec.attributes.length];
      if (json) return printJson({ specHash: spec.specHash, features, traits });
      const counts = traits === 0 ? line`${features} features` : line`${features} features, ${traits} traits`;
      return printLine(line`${file} is valid: ${counts}, spec ${toShortHash(spec.specHash)}`);
    });
}

function createListCommand(): Command {
  return new Command('list')
    .description('list the features of a spec: name, unit, aggregation, window, hash, and of which events')
    .argument(
      '[file]',
      'the spec, the name of a preset, or "default" for the spec that a namespace begins with',
      DEFAULT_SPEC,
    )
    .option('--json', 'print {specHash, features: [{hash, ...definition}]}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial features list\n  ./perennial features list saas\n  ./perennial features list features.yaml --json',
    )
    .action((file: string, { json }: Options) => {
      const spec = readSpec(file);
      const rows = spec.definitions.map((definition, index) => ({ ...definition, hash: hashAt(spec, index) }));
      if (json) return printJson({ specHash: spec.specHash, features: rows });
      return printLine(
        toTable(
          rows.map((row) => {
            const window = 'windowMs' in row ? toWindow(row.windowMs) : '';
            const events = 'zone' in row ? `${toEvents(row)}, local time` : toEvents(row);
            return [row.name, row.unit, row.aggregation, window, toShortHash(row.hash), events];
          }),
        ),
      );
    });
}

function createDiffCommand(): Command {
  return new Command('diff')
    .description('compare two specs feature by feature: what the second adds, removes and defines otherwise')
    .argument('<before>', 'a spec, a preset, or "default"')
    .argument('<after>', 'a spec, a preset, or "default"')
    .option('--json', 'print {before, after, features: [{name, change}], traits: [{name, change}]}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial features diff default features.yaml\n  ./perennial features diff default ecommerce',
    )
    .action((before: string, after: string, { json }: Options) => {
      const [old, next] = [readSpec(before), readSpec(after)];
      const features = compareSpecs(old, next);
      const traits = compareTraits(old, next);
      if (json) printJson({ before: old.specHash, after: next.specHash, features, traits });
      else printDifference(features, traits);
    });
}

function printDifference(features: readonly ComparedFeature[], traits: readonly ComparedFeature[]): void {
  const changed = [...features, ...traits].filter(({ change }) => change !== 'kept');
  if (changed.length > 0) printLine(toTable(changed.map(({ name, change }) => [change, name])));
  printLine(`${features.filter(({ change }) => change === 'kept').length} features stay as they are`);
}

function hashAt({ features }: CompiledFeatures, index: number): string {
  return features[index]?.hash ?? '';
}

/** The events that a feature is of, as a reader of the list would say it. */
function toEvents(definition: FeatureDefinition): string {
  if (definition.aggregation === 'ratio') return `${definition.numerator} / ${definition.denominator}`;
  const { event } = definition;
  if (event === undefined) return 'every event';
  const { type, name, names = name === undefined ? [] : [name], where, currency } = event;
  const ofName = names.length === 0 ? type : `${type} ${names.join(' | ')}`;
  const named = currency === undefined ? ofName : `${ofName} in ${currency}`;
  return where === undefined ? named : `${named} where ${where}`;
}

function toWindow(windowMs: number | undefined): string {
  return windowMs === undefined ? 'all time' : toWindowText(windowMs);
}
