import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { parseRateTable, type RateTable } from '@perennial/commerce';
import { requireValid } from '@perennial/expressions';
import {
  type CompiledFeatures,
  compileFeatures,
  createOrderLabels,
  DAY_MS,
  requireFeatureFile,
  toSpecOrPreset,
} from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { LABEL_DAYS, type OrderedHistory, type TrainingRow, toTrainingRows } from '@perennial/training-data';
import { readOrders } from './read-orders.js';

export const EXPORT_USAGE = `Writes training rows: features at each cutoff, labels from the ${LABEL_DAYS} days after it:
orders as the spec's features orders_count_all and orders_revenue_sum_all count them.

  --history FILE   orders as CSV, gzip or not (user_id,ts,event_type,item_id,session_id,quantity,value,extra)
  --features FILE  feature spec (YAML or JSON), such as a namespace has in force; without it the preset that ships
  --rates FILE     rate table, such as a namespace has in force; needed where amounts have a currency
  --cutoff TIME    ISO 8601 in UTC, such as 1998-01-01; may be given several times
  --out FILE       CSV to write; FILE.json beside it names the feature spec, the file's hash and the row counts`;

export interface ExportSummary {
  readonly specHash: string;
  /** In the order of the columns; a model trained on these rows needs these names with these meanings. */
  readonly features: ReadonlyArray<{ readonly name: string; readonly hash: string }>;
  readonly labels: readonly string[];
  readonly labelDays: number;
  readonly history: { readonly fileName: string; readonly sha256: string; readonly badRows: number };
  readonly rows: Readonly<Record<string, { readonly rows: number; readonly purchased: number }>>;
}

const LABEL_NAMES = ['label_purchased', 'label_spend'] as const;

/** Runs the export of command-line arguments; throws `config_invalid` when the arguments or the file are invalid. */
export async function exportTrainingRows(args: readonly string[]): Promise<ExportSummary> {
  const { historyPath, cutoffsMs, outPath, featuresPath, ratesPath } = parseExportArgs(args);
  const spec = await readSpec(featuresPath);
  // A spec without orders is rejected before the history is read.
  createOrderLabels(spec);
  const rates = ratesPath === undefined ? undefined : await readRates(ratesPath);
  const history = await readOrders(historyPath);
  checkLabelWindow(history, Math.max(...cutoffsMs));
  const rows: Record<string, { rows: number; purchased: number }> = {};
  const found = toTrainingRows(history, { cutoffsMs, spec, rates });
  await pipeline(Readable.from(toCsv(found, { spec, counts: rows })), createWriteStream(outPath));
  const summary = {
    specHash: spec.specHash,
    features: spec.features,
    labels: LABEL_NAMES,
    labelDays: LABEL_DAYS,
    history: { fileName: history.fileName, sha256: history.sha256, badRows: history.badRows.count },
    rows,
  };
  await writeFile(`${outPath}.json`, `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

interface ExportArgs {
  readonly historyPath: string;
  readonly cutoffsMs: readonly number[];
  readonly outPath: string;
  readonly featuresPath: string | undefined;
  readonly ratesPath: string | undefined;
}

async function readSpec(path: string | undefined): Promise<CompiledFeatures> {
  if (path === undefined) return toSpecOrPreset(undefined);
  const { definitions, rules } = requireFeatureFile(await readFile(path), basename(path));
  return compileFeatures(definitions, rules);
}

function parseExportArgs(args: readonly string[]): ExportArgs {
  const options = {
    history: { type: 'string' },
    features: { type: 'string' },
    rates: { type: 'string' },
    cutoff: { type: 'string', multiple: true },
    out: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const { history, features, rates, cutoff = [], out } = values;
  if (history === undefined || out === undefined || cutoff.length === 0) {
    throw new AppError('config_invalid', `--history, --cutoff and --out are needed.\n\n${EXPORT_USAGE}`);
  }
  const cutoffsMs = [...new Set(cutoff.map(parseCutoff))];
  return { historyPath: history, outPath: out, cutoffsMs, featuresPath: features, ratesPath: rates };
}

async function readRates(path: string): Promise<RateTable> {
  return requireValid(parseRateTable(await readFile(path, 'utf8'), { fileName: basename(path) }));
}

function parseCutoff(text: string): number {
  const parsed = Date.parse(text);
  // Without a zone, a time of day would be read in the machine's local zone.
  if (Number.isNaN(parsed) || (text.includes('T') && !text.endsWith('Z'))) {
    throw new AppError(
      'config_invalid',
      `--cutoff ${text} is not an ISO 8601 time in UTC, such as 1998-01-01T00:00:00Z`,
    );
  }
  return parsed;
}

/** A history that ends within the label window would make later buyers look like churned users. */
function checkLabelWindow(history: OrderedHistory, cutoffMs: number): void {
  const endMs = history.length === 0 ? 0 : history.timestampMs(history.length - 1);
  // A day of tolerance: files with day resolution end at the midnight that begins their last day.
  if (cutoffMs + LABEL_DAYS * DAY_MS <= endMs + DAY_MS) return;
  const latest = new Date(endMs - (LABEL_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  throw new AppError(
    'config_invalid',
    `labels need ${LABEL_DAYS} days after the cutoff: the latest this file allows is ${latest}`,
  );
}

function* toCsv(
  rows: Iterable<TrainingRow>,
  { spec, counts }: { spec: CompiledFeatures; counts: Record<string, { rows: number; purchased: number }> },
): Generator<string> {
  yield `${['user_id', 'cutoff', ...spec.names, ...LABEL_NAMES].join(',')}\n`;
  for (const row of rows) {
    const cutoff = new Date(row.cutoffMs).toISOString();
    counts[cutoff] ??= { rows: 0, purchased: 0 };
    const count = counts[cutoff];
    count.rows += 1;
    count.purchased += row.purchased ? 1 : 0;
    const values = row.values.map((value) => value ?? '');
    yield `${[quote(row.userId), cutoff, ...values, row.purchased ? 1 : 0, row.spend].join(',')}\n`;
  }
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
