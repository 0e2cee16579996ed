import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CompiledFeatures,
  createOrderLabels,
  DistributionSample,
  type FeatureDistribution,
  type OrderLabels,
} from '@perennial/feature-engine';
import { AppError, createSeededRandom } from '@perennial/kernel';
import { type Cutoffs, toPairCutoffs, toRegularCutoffs } from './cutoffs.js';
import { type JoinHistory, readJoins } from './join-history.js';
import { JoinedSpill } from './joined-spill.js';
import { EXPORT_LIMITS } from './limits.js';
import { mergeJoined } from './merge-joined.js';
import { type KnownProfile, PartitionFold } from './partition-fold.js';
import {
  type ArchivedPartition,
  type ArchiveRange,
  type ArchiveSource,
  findRange,
  readPartition,
} from './read-archive.js';
import type { ExportRequest } from './read-request.js';
import type { WrittenFile } from './table-writer.js';
import { ExportTables, type FileName } from './tables.js';

export interface ExportManifest {
  readonly version: 1;
  readonly namespace: string;
  readonly specHash: string;
  readonly features: ReadonlyArray<{ readonly name: string; readonly hash: string }>;
  /** By feature, of a sample of the rows: what `features drift` compares served values with. */
  readonly distributions: Readonly<Record<string, FeatureDistribution>>;
  /** ISO 8601; of pairs: how many times they name. */
  readonly cutoffs: readonly string[] | number;
  readonly labelHorizonDays: number;
  readonly sequenceLength: number;
  readonly archive: {
    readonly from: string;
    /** What every partition has reached. */
    readonly to: string;
    readonly partitions: ReadonlyArray<{ readonly partition: number; readonly first: number; readonly next: number }>;
    /** Trimmed from the log before they were archived: what they held is in no row. */
    readonly missingRecords: number;
  };
  /** Rows of features, and of labels. */
  readonly rows: number;
  /** Rows whose label window the archive does not reach the end of: their labels are null. */
  readonly withoutLabels: number;
  /** Rows of profiles that several keys were joined to by then: each has what all of them have. */
  readonly joined: number;
  /** Pairs whose profile was not known at the cutoff: without a row. */
  readonly unknownPairs: number;
  readonly files: Readonly<Record<FileName, WrittenFile>>;
}

export interface ExportOptions {
  readonly source: ArchiveSource;
  readonly spec: CompiledFeatures;
  readonly request: ExportRequest;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Replaceable for tests. */
  readonly recordsPerPassMax?: number;
}

const MANIFEST = 'manifest.json';
const SAMPLE_SEED = 1;
/** In the folder, while the export runs. */
const SPILL = '.joined';

/**
 * Writes features, labels and sequences of profiles as they were known at cutoffs. The manifest comes last: a folder
 * without one is not complete. Throws an AppError that says what to do.
 */
export async function runExport(options: ExportOptions): Promise<ExportManifest> {
  const { source, spec, request, onProgress, signal } = options;
  const { recordsPerPassMax } = { ...EXPORT_LIMITS, ...options };
  if (existsSync(join(request.folder, MANIFEST)))
    throw new AppError('conflict', `${request.folder} holds an export already: remove it, or name another --out`);
  const toOrders = createOrderLabels(spec);
  const range = await findRange(source);
  const cutoffs = toCutoffs(request, range);
  mkdirSync(request.folder, { recursive: true });
  const completeUntilMs = range.endMs - request.horizonMs;
  const tables = new ExportTables(request.folder, spec, completeUntilMs);
  const counts = { rows: 0, joined: 0, withoutLabels: 0 };
  // Seeded: equal exports have equal manifests.
  const sample = new DistributionSample(spec.names, createSeededRandom(SAMPLE_SEED));
  const onRow = (profile: KnownProfile) => {
    tables.addProfile(profile);
    sample.add(profile.values);
    counts.rows += 1;
    if (profile.joined) counts.joined += 1;
    if (profile.cutoffMs > completeUntilMs) counts.withoutLabels += 1;
  };
  onProgress?.('joins');
  const joins = await readJoins({ source, partitions: range.partitions, times: cutoffs.times }, signal);
  const spill = new JoinedSpill(join(request.folder, SPILL), spec);
  try {
    const pass = { ...options, toOrders, cutoffs, range, tables, joins, spill, onRow };
    await exportPartitions(pass, recordsPerPassMax);
    const { horizonMs, sequenceLength } = request;
    const merge = { spec, cutoffs, horizonMs, sequenceLength, joins, spill, signal };
    await mergeJoined({
      ...merge,
      onRow(profile, label) {
        onRow(profile);
        tables.addLabel(label);
      },
    });
  } finally {
    spill.close();
  }
  const manifest: ExportManifest = {
    version: 1,
    namespace: source.namespace,
    specHash: spec.specHash,
    features: spec.features.map(({ name, hash }) => ({ name, hash })),
    distributions: sample.toDistributions(),
    cutoffs: request.pairs === undefined ? cutoffs.times.map(toText) : cutoffs.times.length,
    labelHorizonDays: request.horizonMs / 86_400_000,
    sequenceLength: request.sequenceLength,
    archive: {
      from: toText(range.firstMs),
      to: toText(range.endMs),
      partitions: range.partitions.map(({ partition, archived: { first, next } }) => ({ partition, first, next })),
      missingRecords: range.missingRecords,
    },
    ...counts,
    unknownPairs: request.pairs === undefined ? 0 : countPairs(cutoffs) - counts.rows,
    files: await tables.finish(),
  };
  // Renamed, so that a manifest is never half.
  const written = join(request.folder, `.${MANIFEST}`);
  writeFileSync(written, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(written, join(request.folder, MANIFEST));
  return manifest;
}

interface Pass extends ExportOptions {
  readonly toOrders: OrderLabels;
  readonly cutoffs: Cutoffs;
  readonly range: ArchiveRange;
  readonly tables: ExportTables;
  readonly joins: JoinHistory;
  readonly spill: JoinedSpill;
  readonly onRow: (profile: KnownProfile) => void;
}

async function exportPartitions(options: Pass, recordsPerPassMax: number): Promise<void> {
  const { range, onProgress, signal } = options;
  for (const [done, partition] of range.partitions.entries()) {
    const passes = Math.ceil((partition.archived.next - partition.archived.first) / recordsPerPassMax);
    for (let pass = 0; pass < passes; pass += 1) {
      signal?.throwIfAborted();
      onProgress?.(
        `partition ${done + 1} of ${range.partitions.length}${passes > 1 ? `, pass ${pass + 1} of ${passes}` : ''}`,
      );
      await exportPass(options, partition, { pass, passes });
    }
  }
}

async function exportPass(
  { source, spec, toOrders, request, cutoffs, range, tables, joins, spill, onRow, signal }: Pass,
  partition: ArchivedPartition,
  { pass, passes }: { readonly pass: number; readonly passes: number },
): Promise<void> {
  const toFile = (key: string) => toBucket(joins.groupOf(key), EXPORT_LIMITS.joinedFiles);
  const fold = new PartitionFold({
    spec,
    toOrders,
    cutoffs,
    horizonMs: request.horizonMs,
    sequenceLength: request.sequenceLength,
    holds: passes === 1 ? () => true : (key) => toBucket(key, passes) === pass,
    joins,
    onKnown: onRow,
    onMember: (member) => spill.addState(toFile(member.key), member),
    onOrder: (key, change) => spill.addOrder(toFile(key), key, change),
  });
  await readPartition(source, partition, { onEntry: (entry) => fold.fold(entry), signal });
  for (const label of fold.finish(range.endMs)) tables.addLabel(label);
}

/** Cutoffs must be in the archive: what was known later than it ends is not known. */
function toCutoffs(
  { pairs, everyMs, fromMs, toMs, horizonMs }: ExportRequest,
  { firstMs, endMs }: ArchiveRange,
): Cutoffs {
  if (pairs !== undefined) {
    const late = pairs.filter(({ cutoffMs }) => cutoffMs > endMs);
    const [head] = late;
    if (head === undefined) return toPairCutoffs(pairs);
    const first = `the first is of ${head.key} at ${toText(head.cutoffMs)}`;
    throw new AppError(
      'config_invalid',
      `--pairs: ${late.length} cutoffs are after ${toText(endMs)}, where the archive ends; ${first}`,
    );
  }
  const stepMs = everyMs ?? horizonMs;
  const begin = fromMs ?? toNextDay(firstMs + stepMs);
  const end = toMs ?? endMs - horizonMs + 1;
  const times = [];
  for (let timeMs = begin; timeMs < end && timeMs <= endMs; timeMs += stepMs) {
    times.push(timeMs);
    if (times.length > EXPORT_LIMITS.cutoffsMax)
      throw new AppError('config_invalid', `--every: there would be more than ${EXPORT_LIMITS.cutoffsMax} cutoffs`);
  }
  if (times.length > 0) return toRegularCutoffs(times);
  throw new AppError(
    'config_invalid',
    `there is no cutoff: the archive reaches from ${toText(firstMs)} to ${toText(endMs)}, and a cutoff needs --label-horizon after it unless --to is given`,
  );
}

function toNextDay(ms: number): number {
  return Math.ceil(ms / 86_400_000) * 86_400_000;
}

function countPairs(cutoffs: Cutoffs): number {
  return cutoffs.times.reduce((sum, timeMs) => sum + (cutoffs.wanted(timeMs)?.size ?? 0), 0);
}

/** FNV-1a: which pass a key is in, or which file a group of keys. */
function toBucket(key: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193) >>> 0;
  return hash % buckets;
}

function toText(ms: number): string {
  return new Date(ms).toISOString();
}
