import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createFolderBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { createShop, writeSyntheticArchive } from '@perennial/explore';
import { toSpecOrPreset } from '@perennial/feature-engine';
import { toLayout } from '@perennial/native-stack';
import { EXPORT_LIMITS, type ExportManifest, readExportRequest, runExport } from '@perennial/training-export';

export interface ExportBenchOptions {
  readonly root?: string | undefined;
  readonly events: number;
  readonly profiles: number;
  readonly partitions: number;
  readonly sequenceLength: number;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ExportBenchReport {
  readonly options: Omit<ExportBenchOptions, 'onProgress' | 'root' | 'signal'>;
  readonly archiveFiles: number;
  readonly cutoffs: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident memory of this process, which wrote the archive before. */
  readonly memoryBytesMax: number;
  readonly files: ExportManifest['files'];
}

const NAMESPACE = 'bench-export';
const DAY_MS = 86_400_000;
/** Five monthly cutoffs, each with its horizon of 30 days. */
const DAYS = 181;
const START_MS = Date.UTC(2026, 0, 1);

/** Writes an archive of a made-up shop, exports training data at five cutoffs, and removes both. */
export async function runExportBench(options: ExportBenchOptions): Promise<ExportBenchReport> {
  const { root, onProgress, signal, ...rest } = options;
  const folder = join(toLayout({ root }).root, '.perennial', NAMESPACE);
  rmSync(folder, { recursive: true, force: true });
  try {
    const archive = join(folder, 'archive');
    onProgress(`writing ${options.events} events`);
    const archiveFiles = await writeSyntheticArchive(
      { folder: archive, namespace: NAMESPACE, partitions: options.partitions, fileMs: DAY_MS },
      createShop({ ...options, startMs: START_MS, days: DAYS, late: 0.02, repeated: 0.01 }),
    );
    const source = {
      archive: new EventArchive(createFolderBlobStore(archive), NAMESPACE),
      namespace: NAMESPACE,
      // No rate table is rolled out.
      artifacts: { load: async () => Buffer.alloc(0), list: async () => [] },
    };
    const request = readExportRequest({
      every: '30d',
      labelHorizon: '30d',
      sequenceLength: String(Math.min(options.sequenceLength, EXPORT_LIMITS.sequenceMax)),
      from: '2026-01-31',
      out: join(folder, 'out'),
    });
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { files, cutoffs } = await runExport({
      source,
      spec: toSpecOrPreset(undefined),
      request,
      onProgress,
      signal,
    });
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return {
      options: rest,
      archiveFiles,
      cutoffs: Array.isArray(cutoffs) ? cutoffs.length : Number(cutoffs),
      seconds,
      cpuSeconds: (user + system) / 1e6,
      memoryBytesMax: process.resourceUsage().maxRSS * 1_024,
      files,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function formatExportReport(report: ExportBenchReport): string {
  const { options, archiveFiles, cutoffs, seconds, cpuSeconds, memoryBytesMax, files } = report;
  return [
    `export bench: ${options.events} events of ${options.profiles} profiles in ${archiveFiles} files, ${cutoffs} cutoffs, seed ${options.seed}`,
    '',
    ...Object.entries(files).map(
      ([name, { rows, bytes }]) =>
        `${name.padEnd(18)} ${String(rows).padStart(9)} rows ${String(bytes).padStart(11)} bytes`,
    ),
    '',
    `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} CPU seconds; memory ${(memoryBytesMax / 2 ** 20).toFixed(0)} MiB at most`,
  ].join('\n');
}
