import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { isOracleEqual } from './oracle-equality.js';

const ORACLE = join(import.meta.dirname, '../oracle/oracle.py');

/** What the oracle computes from: the definitions, a profile's events, and when they are read. */
export interface OracleCase {
  readonly definitions: readonly FeatureDefinition[];
  readonly events: readonly FeatureEvent[];
  readonly atMs: number;
}

type Values = ReadonlyArray<number | null>;

/** The command of Python 3; undefined where there is none. */
export function findPython(): string | undefined {
  return ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
}

/** The features whose values differ from the oracle's, each with the case that shows it. Throws when the oracle fails. */
export function compareWithOracle<C extends OracleCase>(
  python: string,
  cases: readonly C[],
  toValues: (one: C) => Values,
): unknown[] {
  const input = cases.map(({ definitions, events, atMs }) => JSON.stringify({ definitions, events, atMs })).join('\n');
  const { stdout, stderr, status } = spawnSync(python, [ORACLE], { input, maxBuffer: 2 ** 30 });
  const lines = stdout.toString().trim().split('\n');
  if (status !== 0 || lines.length !== cases.length) {
    throw new Error(`the oracle ended with ${status} after ${lines.length} cases: ${stderr.toString()}`);
  }
  return cases.flatMap((one, index) => {
    const wanted = JSON.parse(lines[index] ?? '[]') as Values;
    return compare(one, { values: toValues(one), wanted });
  });
}

function compare(one: OracleCase, { values, wanted }: { readonly values: Values; readonly wanted: Values }): unknown[] {
  return one.definitions.flatMap((definition, index) => {
    const [value = null, right = null] = [values[index], wanted[index]];
    const { events, atMs } = one;
    return isOracleEqual(definition.aggregation, value, right) ? [] : [{ definition, value, right, atMs, events }];
  });
}
