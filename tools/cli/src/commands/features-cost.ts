import type { CompiledFeatures } from '@perennial/feature-engine';
import { Command } from 'commander';
import { type Cost, type MeasuredCosts, measureCosts } from '../features/measure-cost.js';
import { DEFAULT_SPEC, readSpec } from '../features/read-spec.js';
import { parseWhole } from '../options.js';
import { lines, printJson, printLine, toTable } from '../output.js';

interface Options {
  readonly seed: number;
  readonly events: number;
  readonly rounds: number;
  readonly json?: boolean;
}

const EVENTS_MAX = 1_000_000;
const SEED_MAX = 2 ** 32 - 1;
const ROUNDS_MAX = 1_000;

export function createCostCommand(): Command {
  return new Command('cost')
    .description(
      'what each feature costs a profile: bytes, at most and in a generated year; time of an event and of a vector',
    )
    .argument('[file]', 'the spec, the name of a preset, or "default"', DEFAULT_SPEC)
    .option('--events <number>', 'events of the generated history', toParser(EVENTS_MAX), 1_000)
    .option('--seed <number>', 'of the history', toParser(SEED_MAX), 1)
    .option('--rounds <number>', 'measurements, of which the medians are printed', toParser(ROUNDS_MAX), 7)
    .option('--json', 'print {seed, events, baseline, features, spec}')
    .addHelpText('after', '\nExamples:\n  ./perennial features cost\n  ./perennial features cost saas --events 5000')
    .action((file: string, { json, ...options }: Options) => {
      const spec = readSpec(file);
      const costs = measureCosts(spec, options);
      const { seed, events } = options;
      if (json) printJson({ seed, events, ...costs });
      else printCosts(spec, costs, options);
    });
}

function toParser(max: number): (text: string) => number {
  return (text) => parseWhole(text, { min: 1, max });
}

function printCosts(spec: CompiledFeatures, { baseline, features, spec: all }: MeasuredCosts, options: Options): void {
  const rows = features.map((cost, index) => [cost.name, spec.definitions[index]?.aggregation ?? '', ...toCells(cost)]);
  const whole = [['all together', `${features.length} features`, ...toCells(all)]];
  const base = [['baseline', 'one count', ...toCells(baseline)]];
  const head = ['feature', 'aggregation', 'bytes', 'at most', 'us/event', 'x baseline', 'us/vector'];
  printLine(
    lines(
      toTable([head, ...rows, ...whole, ...base]),
      `One profile, ${options.events} events in a year, seed ${options.seed}; medians of ${options.rounds} rounds. Each feature by itself; ` +
        'a ratio with its two sides, and it keeps nothing. Bytes of all together include the ids of messages and orders.',
    ),
  );
}

function toCells({ bytes, bytesMax, eventUs, eventRatio, vectorUs }: Cost): string[] {
  const counts = [bytes, bytesMax].map((count) => count.toLocaleString('en-US'));
  return [...counts, eventUs.toFixed(2), eventRatio.toFixed(2), vectorUs.toFixed(2)];
}
