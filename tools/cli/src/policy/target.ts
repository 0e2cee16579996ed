import { findNearest } from '@perennial/expressions';
import { AppError, toMessage } from '@perennial/kernel';
import { readText } from '../read-text.js';

/** A policy that draws by fixed probabilities, in the order of `options`. */
export interface Target {
  readonly options: readonly string[];
  readonly probabilities: readonly number[];
}

const SUM_TOLERANCE = 1e-6;

/**
 * Reads `--policy`: "uniform", an option of the log (drawn always), or a .json file of probabilities by option, which may have options
 * that the log has not. Throws `config_invalid` with all problems.
 */
export function readTarget(text: string, logged: readonly string[]): Target {
  if (text === 'uniform') return { options: logged, probabilities: logged.map(() => 1 / logged.length) };
  if (logged.includes(text))
    return { options: logged, probabilities: logged.map((option) => (option === text ? 1 : 0)) };
  if (text.endsWith('.json')) return readProbabilities(text, logged);
  const nearest = findNearest(text, ['uniform', ...logged]);
  const hint = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
  throw new AppError(
    'config_invalid',
    `--policy is ${JSON.stringify(text)} but must be uniform, an option of the log, or a .json file${hint}`,
  );
}

function readProbabilities(file: string, logged: readonly string[]): Target {
  const byOption = parseEntries(file);
  const problems = [...byOption]
    .filter(([, value]) => !(typeof value === 'number' && value >= 0 && value <= 1))
    .map(
      ([option, value]) => `${file}: ${JSON.stringify(option)} is ${JSON.stringify(value)} but must be a probability`,
    );
  const options = [...new Set([...logged, ...byOption.keys()])];
  const probabilities = options.map((option) => Number(byOption.get(option) ?? 0));
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  if (problems.length === 0 && Math.abs(sum - 1) > SUM_TOLERANCE) {
    problems.push(`${file}: the probabilities sum up to ${sum} but must to 1`);
  }
  if (problems.length > 0) throw new AppError('config_invalid', problems.join('\n'));
  return { options, probabilities };
}

function parseEntries(file: string): ReadonlyMap<string, unknown> {
  const text = readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch (cause) {
    throw new AppError('config_invalid', `${file} is no JSON: ${toMessage(cause)}`, { cause });
  }
  throw new AppError('config_invalid', `${file} must be an object of probabilities by option`);
}
