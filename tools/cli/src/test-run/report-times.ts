import type { StepResult } from './steps.js';

const SLOWEST_SHOWN = 10;

/** Where the time of a test run went: each step, and the slowest test files of all. Steps may have run at the same time. */
export function formatTimes(results: ReadonlyArray<Pick<StepResult, 'name' | 'seconds' | 'files'>>): string {
  const steps = results.map(({ name, seconds }) => `${toColumn(seconds)}  ${name}`);
  const slowest = results
    .flatMap(({ name, files }) => files.map((file) => ({ ...file, name })))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST_SHOWN)
    .map(({ path, seconds, name }) => `${toColumn(seconds)}  ${path} (${name})`);
  return ['', 'seconds by step:', ...steps, ...(slowest.length === 0 ? [] : ['slowest files:', ...slowest])].join('\n');
}

function toColumn(seconds: number): string {
  return seconds.toFixed(1).padStart(7);
}
