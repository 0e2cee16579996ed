import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createArtifactStore } from '@perennial/artifacts';
import { openBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { AppError, toMessage } from '@perennial/kernel';
import { toLayout } from '@perennial/native-stack';
import {
  type ClusterTexts,
  exportNewest,
  readClusterRequest,
  readFeatureNames,
  readVectors,
  type TrainedClusters,
  toClusterYaml,
  trainClusters,
} from '@perennial/training-export';
import { Command } from 'commander';
import { DEFAULT_SPEC, readSpec } from '../features/read-spec.js';
import { interruptible } from '../interrupt.js';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { createProgress } from '../progress.js';

interface Typed extends ClusterTexts {
  readonly namespace: string;
  readonly training?: string;
  readonly archive?: string;
  readonly spec: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function createClusterCommand(): Command {
  return new Command('cluster')
    .description('find clusters of similar profiles by k-means, as a block for a file of segments; changes nothing')
    .requiredOption('--features <names>', 'features to compare by, with commas between them')
    .option('--k <n>', 'how many clusters, or auto: as many as give the best silhouette', 'auto')
    .option('--seed <n>', 'the same seed and data give the same clusters', '1')
    .option('--missing <rule>', 'skip: who has no value is in no cluster; median: it counts as the median', 'skip')
    .option('--name <name>', 'of the set; its segments are NAME_1, NAME_2 ..., the largest first', 'cluster')
    .option('--training <folder>', 'a training export: profiles as of its newest cutoff')
    .option('--archive <folder>', 'else the event archive, as of its end (default: that of this installation)')
    .option('--spec <file>', 'the feature spec, with an archive', DEFAULT_SPEC)
    .option('--out <file>', 'write the block into a new file instead of printing it')
    .addOption(createNamespaceOption())
    .option('--json', 'print {name, cutoff, rows, joined, skipped, profiles, chosen, tried, clusters, model}')
    .addHelpText(
      'after',
      `
Copy the block into your segments.yaml, then ./perennial segments check it and put it in force.

Examples:
  ./perennial segments cluster --features orders_count_365d,orders_recency_days --k 4 --name habits --out habits.yaml
  ./perennial segments cluster --features events_count_30d,active_days_30d --missing median --training training`,
    )
    .action((typed: Typed) => runCommand(typed));
}

async function runCommand(typed: Typed): Promise<void> {
  const { training, archive, out, json } = typed;
  if (training !== undefined && archive !== undefined)
    throw new AppError('config_invalid', '--training or --archive is read, not both');
  const spec = training === undefined ? readSpec(typed.spec) : undefined;
  const { name, request } = readClusterRequest(typed, spec?.names ?? (await readFeatureNames(training ?? '')));
  const { vectors, ...read } =
    training === undefined
      ? await withNewest(typed, (folder) => readVectors(folder, request))
      : await readVectors(training, request);
  const found = trainClusters(vectors, request);
  const yaml = toClusterYaml(name, found, { cutoff: read.cutoff, seed: request.seed });
  if (out !== undefined) create(out, yaml);
  if (json) return printJson({ name, ...read, ...found });
  printLine(
    lines(
      ...formatReport(name, found),
      line`of ${read.rows} profiles at ${read.cutoff}; ${found.skipped} lack a value, ${read.joined} are of several ids each`,
      ...(out === undefined ? ['', ...yaml.trimEnd().split('\n')] : [line`written to ${out}`]),
    ),
  );
}

/** Exports the end of the archive into a temporary folder, which is removed. */
async function withNewest<Result>(
  { archive, namespace, spec }: Typed,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  if (archive?.includes('://'))
    throw new AppError('config_invalid', `--archive: ${archive} is no folder; copy the bucket first`);
  const layout = toLayout();
  const open = (folder: string) => openBlobStore({ kind: 'folder', folder });
  const source = {
    archive: new EventArchive(await open(archive === undefined ? layout.archiveDir : resolve(archive)), namespace),
    namespace,
    artifacts: createArtifactStore(await open(layout.artifactsDir), { namespace }),
  };
  const folder = await mkdtemp(join(tmpdir(), 'perennial-clusters-'));
  const progress = createProgress();
  try {
    await interruptible((signal) =>
      exportNewest({ source, spec: readSpec(spec), folder, signal, onProgress: progress.report }),
    );
    return await use(folder);
  } finally {
    progress.done();
    await rm(folder, { recursive: true, force: true });
  }
}

function formatReport(name: string, { model, profiles, chosen, tried, clusters }: TrainedClusters): Printable[] {
  const rows = clusters.map(({ name: own, profiles: count, medians }) => [
    `${name}_${own}`,
    count,
    `${((count / profiles) * 100).toFixed(1)} %`,
    ...medians.map((median) => (median === null ? '-' : String(median))),
  ]);
  const head = ['cluster', 'profiles', 'share', ...model.features.map(({ feature }) => feature)];
  const attempts = tried.map(({ k, inertia, silhouette }) => [
    `k = ${k}`,
    `silhouette ${silhouette.toFixed(3)}`,
    `inertia ${inertia.toFixed(3)}`,
    ...(k === chosen.k && tried.length > 1 ? ['chosen'] : []),
  ]);
  return [toTable([head, ...rows]), line``, toTable(attempts), line``];
}

function create(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: 'wx' });
  } catch (cause) {
    throw new AppError('config_invalid', `--out: cannot create ${file}: ${toMessage(cause)}`, { cause });
  }
}
