import { resolve } from 'node:path';
import { createArtifactStore } from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { AppError } from '@perennial/kernel';
import { toLayout } from '@perennial/native-stack';
import {
  EXPORT_LIMITS,
  type ExportManifest,
  type ExportTexts,
  readExportRequest,
  runExport,
} from '@perennial/training-export';
import { Command } from 'commander';
import { readSpec } from '../features/read-spec.js';
import { interruptible } from '../interrupt.js';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toShortHash, toTable } from '../output.js';
import { createProgress } from '../progress.js';

interface Typed extends ExportTexts {
  readonly namespace: string;
  readonly archive?: string;
  readonly artifacts?: string;
  readonly features: string;
  readonly json?: boolean;
}

export function createExportCommand(): Command {
  return new Command('export')
    .addOption(createNamespaceOption())
    .requiredOption('--out <folder>', 'for features.parquet, labels.parquet, sequences.parquet, manifest.json')
    .option('--every <span>', 'a cutoff every so often, all profiles known at each, such as 30d')
    .option('--pairs <file>', 'in place of --every: lines of profile_key,cutoff')
    .option('--label-horizon <span>', 'labels are of the events from a cutoff on for so long', '90d')
    .option('--from <time>', 'of the first cutoff; a day, or a time with its zone')
    .option('--to <time>', 'cutoffs are before it')
    .option('--features <file>', 'a feature spec', 'default')
    .option('--sequence-length <n>', 'last events of a profile at a cutoff', String(EXPORT_LIMITS.sequenceDefault))
    .option('--archive <folder>', 'of the event archive (default: that of this installation)')
    .option('--artifacts <folder>', 'of the rate tables that the archive names (default: that of this installation)')
    .option('--json', 'print the manifest')
    .addHelpText(
      'after',
      `
A vector holds what had come in before the cutoff, whenever it happened; it is the one that was served then. Labels are of
the orders that happened in the horizon, whenever they came in: what the spec's features orders_count_all and
orders_revenue_sum_all count.

Examples:
  ./perennial export --every 30d --label-horizon 90d --out training
  ./perennial export --pairs pairs.csv --features features.yaml --out training`,
    )
    .action(runCommand);
}

async function runCommand({ namespace, archive, artifacts, features, json, ...texts }: Typed): Promise<void> {
  if (archive?.includes('://'))
    throw new AppError('config_invalid', `--archive: ${archive} is no folder; copy the bucket first`);
  const request = { ...readExportRequest(texts), folder: resolve(texts.out) };
  const spec = readSpec(features);
  const layout = toLayout();
  const open = (folder: string) => openBlobStore({ kind: 'folder', folder });
  const source = {
    archive: new EventArchive(await open(archive === undefined ? layout.archiveDir : resolve(archive)), namespace),
    namespace,
    artifacts: createArtifactStore(await open(artifacts === undefined ? layout.artifactsDir : resolve(artifacts)), {
      namespace,
    }),
  };
  const progress = createProgress();
  try {
    const manifest = await interruptible((signal) =>
      runExport({ source, spec, request, signal, onProgress: progress.report }),
    );
    progress.done();
    if (json) printJson(manifest);
    else printLine(formatManifest(manifest));
  } finally {
    progress.done();
  }
}

function formatManifest(manifest: ExportManifest): Printable {
  const { rows, withoutLabels, joined, unknownPairs, archive, cutoffs, specHash, features, files } = manifest;
  const notes = [
    ...(withoutLabels > 0
      ? [line`${withoutLabels} rows have no labels yet: the archive ends within their horizon`]
      : []),
    ...(joined > 0 ? [line`${joined} rows are of profiles of several ids, and have what all of these have`] : []),
    ...(unknownPairs > 0 ? [line`${unknownPairs} pairs have no row: the profile was not known at the cutoff`] : []),
    ...(archive.missingRecords > 0 ? [line`the archive lacks ${archive.missingRecords} records`] : []),
  ];
  const times = Array.isArray(cutoffs)
    ? cutoffs.map((cutoff) => cutoff.slice(0, 10)).join(', ')
    : `${String(cutoffs)} times`;
  return lines(
    toTable(Object.entries(files).map(([name, file]) => [name, `${file.rows} rows`, `${file.bytes} bytes`])),
    line`${rows} profiles at ${times}; ${features.length} features of spec ${toShortHash(specHash)}`,
    ...notes,
  );
}
