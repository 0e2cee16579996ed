import { join } from 'node:path';
import { type CompiledFeatures, DAY_MS } from '@perennial/feature-engine';
import type { KnownProfile, Label } from './partition-fold.js';
import { type Column, TableWriter, type WrittenFile } from './table-writer.js';

const KEY: readonly Column[] = [
  { name: 'profile_key', kind: 'text', required: true },
  { name: 'cutoff', kind: 'time', required: true },
];
const LABELS: readonly Column[] = [
  ...KEY,
  { name: 'purchased', kind: 'int' },
  { name: 'orders', kind: 'int' },
  { name: 'revenue', kind: 'double' },
];
const SEQUENCES: readonly Column[] = [
  ...KEY,
  { name: 'position', kind: 'int', required: true },
  { name: 'event', kind: 'text', required: true },
  { name: 'item_ids', kind: 'text', required: true },
  { name: 'gap_seconds', kind: 'double' },
  { name: 'days_before_cutoff', kind: 'double', required: true },
  { name: 'value', kind: 'double' },
];

export type FileName = 'features.parquet' | 'labels.parquet' | 'sequences.parquet';

/** The three files of an export. Rows of features and of labels are in the same order. */
export class ExportTables {
  readonly #features: TableWriter;
  readonly #labels: TableWriter;
  readonly #sequences: TableWriter;
  readonly #completeUntilMs: number;

  /** `completeUntilMs`: a cutoff after it has no labels yet. */
  constructor(folder: string, spec: CompiledFeatures, completeUntilMs: number) {
    const features = spec.names.map((name): Column => ({ name, kind: 'double' }));
    const joined: Column = { name: 'joined', kind: 'boolean', required: true };
    this.#features = new TableWriter(join(folder, 'features.parquet'), [...KEY, joined, ...features]);
    this.#labels = new TableWriter(join(folder, 'labels.parquet'), LABELS);
    this.#sequences = new TableWriter(join(folder, 'sequences.parquet'), SEQUENCES);
    this.#completeUntilMs = completeUntilMs;
  }

  addProfile({ key, cutoffMs, joined, values, sequence }: KnownProfile): void {
    const cutoff = new Date(cutoffMs);
    this.#features.add([key, cutoff, joined, ...values]);
    for (const [position, { timestampMs, label, itemIds, value }] of sequence.entries()) {
      const before = sequence[position - 1];
      const gap = before === undefined ? null : (timestampMs - before.timestampMs) / 1_000;
      const days = (cutoffMs - timestampMs) / DAY_MS;
      this.#sequences.add([key, cutoff, position, label, JSON.stringify(itemIds), gap, days, value]);
    }
  }

  addLabel({ key, cutoffMs, orders, revenue }: Label): void {
    const isComplete = cutoffMs <= this.#completeUntilMs;
    // As a sum of the engine is: to four decimals. What was taken back may leave -0.
    const known = isComplete ? [orders > 0 ? 1 : 0, orders, Math.round(revenue * 1e4) / 1e4 + 0] : [null, null, null];
    this.#labels.add([key, new Date(cutoffMs), ...known]);
  }

  async finish(): Promise<Readonly<Record<FileName, WrittenFile>>> {
    return {
      'features.parquet': await this.#features.finish(),
      'labels.parquet': await this.#labels.finish(),
      'sequences.parquet': await this.#sequences.finish(),
    };
  }
}
