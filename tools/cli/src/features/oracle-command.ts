import { type History, readOrders } from '@perennial/history';
import { AppError } from '@perennial/kernel';
import { Command } from 'commander';
import { parseWhole } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { addReadingOptions, type ReadingOptions, toReadOptions } from '../reading-options.js';
import { parseSeed } from '../seeded-run.js';
import { type AskOracle, createOracle } from './ask-oracle.js';
import { compareWithOracle, type OracleMismatch, type OracleResult } from './compare-oracle.js';
import { readSpec } from './read-spec.js';

interface Options extends ReadingOptions {
  readonly features: string;
  readonly users?: number;
  readonly seed: number;
  readonly json?: boolean;
}

const USERS_MAX = 16_000_000;

/** `features oracle`; tests replace the oracle. */
export function createOracleCommand(findOracle: () => AskOracle = createOracle): Command {
  const command = new Command('oracle')
    .description('compare every feature of every user of history files with a second, naive implementation in Python')
    .argument('<file...>', 'histories as CSV, gzip or not')
    .option('--features <file>', 'the spec: a file, a preset or "default"', 'ecommerce')
    .option('--users <n>', 'at most so many users of a file, drawn by the seed (default: all)', (text) =>
      parseWhole(text, { min: 1, max: USERS_MAX }),
    )
    .option('--seed <number>', 'of the times at which features are read', parseSeed, 1)
    .option(
      '--json',
      'print {seed, features, files: [{file, users, events, vectors, values, known, mismatches, first}]}',
    );
  return addReadingOptions(command)
    .addHelpText(
      'after',
      `
Each user is read at five times: in the middle of the history, at the last event, and up to an hour, 30 and 500 days later.
Options for reading a file are for all of the files. The exit code is 1 when a value differs.

Examples:
  ./perennial features oracle orders.csv
  ./perennial features oracle events.csv --features saas --zone UTC --types "payment=purchase" --users 1000`,
    )
    .action(async (files: string[], { features, users, seed, json = false, ...reading }: Options) => {
      const spec = readSpec(features);
      const histories = await readAll(files, reading);
      const askOracle = findOracle();
      const results: OracleResult[] = [];
      for (const history of histories) {
        results.push(await compareWithOracle(history, { spec, askOracle, users, seed }));
      }
      if (json) printJson({ seed, features: spec.names.length, files: results });
      else printLine(format(results, { features: spec.names.length, seed }));
      const mismatches = toSum(results, 'mismatches');
      if (mismatches > 0) throw new AppError('data_damaged', `${mismatches} values are not those of the oracle`);
    });
}

/** Throws `config_invalid` with what is wrong with each file that cannot be read. */
async function readAll(files: readonly string[], reading: ReadingOptions): Promise<History[]> {
  const read = await Promise.allSettled(files.map((file) => readOrders(file, toReadOptions(reading))));
  const problems = read.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const [first] = problems;
  if (first !== undefined && !(first instanceof AppError)) throw first;
  if (first !== undefined) throw new AppError('config_invalid', problems.map(({ message }) => message).join('\n'));
  const histories = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const empty = histories.filter(({ length }) => length === 0).map(({ fileName }) => fileName);
  // Nothing compared must not look like nothing that differs.
  if (empty.length > 0) throw new AppError('config_invalid', `no event in ${empty.join(', ')}`);
  return histories;
}

function format(
  results: readonly OracleResult[],
  { features, seed }: { readonly features: number; readonly seed: number },
): Printable {
  const columns = ['users', 'events', 'vectors', 'values', 'known', 'mismatches'] as const;
  const rows = results.map((result) => [result.file, ...columns.map((name) => toText(result[name]))]);
  const all = ['all', ...columns.map((name) => toText(toSum(results, name)))];
  const found = results.flatMap(({ first }) => first).map(toRow);
  return lines(
    toTable([['file', ...columns], ...rows, ...(results.length > 1 ? [all] : [])]),
    line`${features} features, seed ${seed}; known values are those that are not null`,
    ...(found.length === 0 ? [] : [toTable([['user', 'read at', 'feature', 'engine', 'oracle'], ...found])]),
  );
}

function toRow({ userId, at, feature, engine, oracle }: OracleMismatch): string[] {
  return [userId, at, feature, String(engine), String(oracle)];
}

function toSum(
  results: readonly OracleResult[],
  name: 'users' | 'events' | 'vectors' | 'values' | 'known' | 'mismatches',
) {
  return results.reduce((sum, result) => sum + result[name], 0);
}

function toText(count: number): string {
  return count.toLocaleString('en-US');
}
