import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EXPLORE_LIMITS, openDuckDb, type Row, toSqlText } from '@perennial/explore';
import { AppError, toMessage } from '@perennial/kernel';
import { CLUSTER_LIMITS } from './limits.js';
import type { Vector } from './train-clusters.js';

export interface ReadVectors {
  /** Of the newest cutoff of the export, ISO 8601. */
  readonly cutoff: string;
  /** Rows of that cutoff. */
  readonly rows: number;
  /** Of them, those of profiles that several ids are: a row has what all of them have. */
  readonly joined: number;
  /** In the order of the keys' hashes: all of them, or a sample. */
  readonly vectors: readonly Vector[];
}

/** Names of the features of a training export. Throws `config_invalid` for a folder that holds none. */
export async function readFeatureNames(folder: string): Promise<readonly string[]> {
  let manifest: { readonly features?: ReadonlyArray<{ readonly name: string }> };
  try {
    manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  } catch (cause) {
    throw new AppError('config_invalid', `--training: ${folder} is no training export: ${toMessage(cause)}`, { cause });
  }
  return (manifest.features ?? []).map(({ name }) => name);
}

/** Values of the features of all profiles at the newest cutoff, in the order of the features. */
export async function readVectors(
  folder: string,
  { features, seed }: { readonly features: readonly string[]; readonly seed: number },
): Promise<ReadVectors> {
  const spillFolder = await mkdtemp(join(tmpdir(), 'perennial-clusters-'));
  try {
    const { memoryMbDefault: memoryMb, spillMaxGb } = EXPLORE_LIMITS;
    const readFolders = [resolve(folder)];
    const database = await openDuckDb({ readFolders, spillFolder, memoryMb, spillMaxGb, threads: undefined });
    try {
      const table = `read_parquet(${toSqlText(join(resolve(folder), 'features.parquet'))})`;
      const newest = `${table} WHERE cutoff = (SELECT max(cutoff) FROM ${table})`;
      const [read] = await database.query(
        `SELECT count(*) AS rows, count(*) FILTER (joined) AS joined, epoch_ms(max(cutoff)) AS at FROM ${newest}`,
      );
      const columns = features.map((name, index) => `"${name.replaceAll('"', '""')}" AS v${index}`).join(', ');
      // By a hash, which is the same everywhere: a sample is no part of the alphabet, and equal exports give equal clusters.
      const order = `md5(${toSqlText(`${seed} `)} || profile_key), profile_key`;
      const rows = await database.query(
        `SELECT ${columns} FROM ${newest} ORDER BY ${order} LIMIT ${CLUSTER_LIMITS.profilesMax}`,
      );
      return {
        cutoff: new Date(Number(read?.at ?? 0)).toISOString(),
        rows: Number(read?.rows ?? 0),
        joined: Number(read?.joined ?? 0),
        vectors: rows.map((row) => features.map((_, index) => toValue(row[`v${index}`]))),
      };
    } finally {
      database.close();
    }
  } finally {
    await rm(spillFolder, { recursive: true, force: true });
  }
}

function toValue(cell: Row[string] | undefined): number | null {
  return typeof cell === 'number' ? cell : null;
}
