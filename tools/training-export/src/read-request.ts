import { readFileSync, statSync } from 'node:fs';
import { OptionReader } from '@perennial/explore';
import { listFirst, toMessage } from '@perennial/kernel';
import { EXPORT_LIMITS as LIMITS } from './limits.js';

/** Options as they were typed. */
export interface ExportTexts {
  readonly every?: string;
  readonly pairs?: string;
  readonly labelHorizon: string;
  readonly sequenceLength: string;
  readonly from?: string;
  readonly to?: string;
  readonly out: string;
}

interface Pair {
  readonly key: string;
  readonly cutoffMs: number;
}

/** What to export: at regular times, or of given profiles at given times. */
export interface ExportRequest {
  readonly everyMs: number | undefined;
  readonly pairs: readonly Pair[] | undefined;
  readonly fromMs: number | undefined;
  /** Exclusive. */
  readonly toMs: number | undefined;
  readonly horizonMs: number;
  readonly sequenceLength: number;
  readonly folder: string;
}

/** Throws `config_invalid` with all problems of the options and of the file of pairs, one a line. */
export function readExportRequest(texts: ExportTexts): ExportRequest {
  const reader = new OptionReader();
  const { every, pairs, labelHorizon, sequenceLength, from, to, out } = texts;
  if ((every === undefined) === (pairs === undefined))
    reader.problem('--every', 'or --pairs must be given, and not both');
  if (pairs !== undefined && (from !== undefined || to !== undefined))
    reader.problem('--from', 'and --to belong to --every: pairs have times of their own');
  const request = {
    everyMs: every === undefined ? undefined : reader.span('--every', every),
    pairs: pairs === undefined ? undefined : readPairs(reader, pairs),
    horizonMs: reader.span('--label-horizon', labelHorizon),
    sequenceLength: reader.whole('--sequence-length', sequenceLength, { min: 0, max: LIMITS.sequenceMax }),
    ...reader.range(from, to),
    folder: out,
  };
  reader.finish();
  return request;
}

/** Lines of `profile_key,cutoff`, the first of which may be these names. */
function readPairs(reader: OptionReader, path: string): Pair[] {
  let text = '';
  try {
    if (statSync(path).size > LIMITS.pairsBytesMax) {
      reader.problem('--pairs', `${path} has more than ${LIMITS.pairsBytesMax} bytes`);
      return [];
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    reader.problem('--pairs', `${path} cannot be read: ${toMessage(error)}`);
    return [];
  }
  const problems: string[] = [];
  const pairs: Pair[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || (index === 0 && line.trim() === 'profile_key,cutoff')) continue;
    const [key = '', cutoff = '', ...more] = line.split(',').map((part) => part.trim());
    const cutoffMs = toCutoffMs(cutoff);
    if (key === '' || more.length > 0 || cutoffMs === undefined)
      problems.push(`line ${index + 1} is ${JSON.stringify(line.slice(0, 80))}`);
    else pairs.push({ key, cutoffMs });
  }
  const form = 'but must be profile_key,cutoff with a time such as 2026-01-31T00:00Z';
  for (const problem of listFirst(problems, LIMITS.problemsMax))
    reader.problem(`--pairs ${path}`, `${problem} ${form}`);
  if (problems.length === 0 && pairs.length === 0) reader.problem(`--pairs ${path}`, 'has no pairs');
  if (pairs.length > LIMITS.pairsMax)
    reader.problem(`--pairs ${path}`, `has ${pairs.length} pairs, ${LIMITS.pairsMax} at most`);
  return pairs;
}

function toCutoffMs(text: string): number | undefined {
  const reader = new OptionReader();
  const ms = reader.time('', text);
  return ms;
}
