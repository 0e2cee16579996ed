import { join } from 'node:path';
import { openBlobStore } from '@perennial/blob-store';
import { EventArchive } from '@perennial/event-archive';
import { AppError } from '@perennial/kernel';

/** Files of a namespace's archive. */
export interface ArchiveFiles {
  /** Absolute paths, by partition and offset. Some may overlap. */
  readonly paths: readonly string[];
  /** Records that the log lost before they were archived. */
  readonly missingRecords: number;
}

/**
 * The archive's files of a namespace in a folder. Throws `not_found` when there are none, and `config_invalid` for a
 * bucket: DuckDB here reads files only.
 */
export async function findArchiveFiles(folder: string, namespace: string): Promise<ArchiveFiles> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(folder))
    throw new AppError(
      'config_invalid',
      `--archive: ${folder} is no folder; copy the bucket first, as by: aws s3 sync ${folder} archive`,
    );
  const logs = await new EventArchive(await openBlobStore({ kind: 'folder', folder }), namespace).list();
  const ordered = [...logs].sort(([a], [b]) => a - b).map(([, archived]) => archived);
  const paths = ordered.flatMap(({ files }) => files.map(({ name }) => join(folder, name)));
  if (paths.length === 0)
    throw new AppError('not_found', `${folder} holds no archived events of namespace ${namespace}`);
  const gaps = ordered.flatMap(({ gaps }) => gaps);
  return { paths, missingRecords: gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0) };
}
