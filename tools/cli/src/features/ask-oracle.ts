import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { FeatureDefinition, FeatureEvent } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { toLayout } from '@perennial/native-stack';

/** A profile's events, all of them, and when its features are read. */
export interface OracleProfile {
  readonly events: readonly FeatureEvent[];
  readonly timesMs: readonly number[];
}

type Values = ReadonlyArray<number | null>;

/** The values of each profile at each of its times, in the order of the definitions. */
export type AskOracle = (
  definitions: readonly FeatureDefinition[],
  profiles: readonly OracleProfile[],
) => Promise<ReadonlyArray<readonly Values[]>>;

/** The last lines of a traceback say what happened. */
const ERROR_CHARS_MAX = 500;

/** The command of Python 3; undefined where there is none. */
export function findPython(): string | undefined {
  return ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
}

/**
 * The oracle, a process of Python each time it is asked. Throws `dependency_unavailable` where Python 3 is missing or when
 * the oracle fails, such as for a condition that it does not know.
 */
export function createOracle(): AskOracle {
  const python = findPython();
  if (python === undefined) throw new AppError('dependency_unavailable', 'the oracle needs Python 3: install python3');
  const path = join(toLayout().root, 'packages/domain/feature-engine/oracle/oracle.py');
  return async (definitions, profiles) => {
    const input = profiles.flatMap(({ events, timesMs }, index) => {
      const [first = 0, ...others] = timesMs;
      // What a line leaves out is as in the line before.
      const head = { ...(index === 0 ? { definitions } : {}), events, atMs: first };
      return [head, ...others.map((atMs) => ({ atMs }))].map((one) => JSON.stringify(one));
    });
    const lines = await run(python, [path], `${input.join('\n')}\n`);
    if (lines.length !== input.length) throw new Error(`the oracle answered ${lines.length} of ${input.length} cases`);
    let next = 0;
    return profiles.map(({ timesMs }) => timesMs.map(() => JSON.parse(lines[next++] ?? '') as Values));
  };
}

/** The lines that a program prints for its input. */
function run(program: string, args: readonly string[], input: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    const [out, errors]: [string[], string[]] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve(out.join('').trimEnd().split('\n'));
      const text = errors.join('').trim().slice(-ERROR_CHARS_MAX);
      return reject(new AppError('dependency_unavailable', `the oracle ended with ${code}: ${text}`));
    });
    // A program that has ended reads nothing more: its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
