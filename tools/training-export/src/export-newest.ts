import type { CompiledFeatures } from '@perennial/feature-engine';
import { type ArchiveSource, findRange } from './read-archive.js';
import { runExport } from './run-export.js';

const DAY_MS = 86_400_000;

/** Exports all profiles as the end of the archive knows them, without labels, into a folder. Throws as `runExport`. */
export async function exportNewest(options: {
  readonly source: ArchiveSource;
  readonly spec: CompiledFeatures;
  readonly folder: string;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { folder, ...rest } = options;
  const { endMs } = await findRange(options.source);
  const cutoff = { everyMs: DAY_MS, fromMs: endMs, toMs: endMs + 1 };
  await runExport({
    ...rest,
    request: { ...cutoff, pairs: undefined, horizonMs: DAY_MS, sequenceLength: 0, folder },
  });
}
