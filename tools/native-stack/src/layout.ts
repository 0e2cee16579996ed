import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@perennial/kernel';

/** File layout of an installation; nothing is written elsewhere. */
export interface Layout {
  /** The repository. */
  readonly root: string;
  /** `<root>/.perennial` unless given: state, data and logs. */
  readonly home: string;
  readonly stateDir: string;
  readonly dataDir: string;
  readonly logDir: string;
  /** Outside of the data that it backs up. */
  readonly snapshotDir: string;
  /** Bytes of models, policies and other artifacts. */
  readonly artifactsDir: string;
  /** Accepted events, as Parquet. */
  readonly archiveDir: string;
  /** Downloads; with PERENNIAL_CACHE shared by every stack of this machine's user. */
  readonly cacheDir: string;
}

/** The folders of an installation. `home` and `cacheDir` default to `PERENNIAL_HOME` and `PERENNIAL_CACHE`, then to `<root>/.perennial`. */
export function toLayout({
  root,
  home,
  cacheDir,
}: {
  root?: string | undefined;
  home?: string | undefined;
  cacheDir?: string | undefined;
} = {}): Layout {
  const base = resolve(root ?? findRoot());
  const own = resolve(base, home ?? (process.env.PERENNIAL_HOME || '.perennial'));
  return {
    root: base,
    home: own,
    stateDir: join(own, 'state'),
    dataDir: join(own, 'data'),
    logDir: join(own, 'logs'),
    snapshotDir: join(own, 'snapshots'),
    artifactsDir: join(own, 'artifacts'),
    archiveDir: join(own, 'archive'),
    cacheDir: resolve(base, cacheDir ?? (process.env.PERENNIAL_CACHE || join('.perennial', 'cache'))),
  };
}

/** The repository that contains this code. */
function findRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
    if (folder === dirname(folder)) throw new AppError('not_found', 'this code lies in no Perennial repository');
  }
}
