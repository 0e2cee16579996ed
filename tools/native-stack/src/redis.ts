import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { closeFolder } from './closed-folders.js';
import { startDaemon } from './daemon.js';
import type { PartContext, PartDriver } from './part.js';
import { LOOPBACK } from './ports.js';
import { findRedisOnPath, provideRedis } from './redis-program.js';
import type { RedisVersion } from './redis-version.js';
import { readStateFile, writeStateFile } from './state-file.js';

const PROBE_TIMEOUT_MS = 2_000;

/** In the data folder: which server wrote it last, since older ones cannot read its files. */
const WRITTEN_BY = 'written-by.json';
/** What a server keeps there: Redis 7 and Valkey, and Redis 6. */
const DATA = ['appendonlydir', 'appendonly.aof'];

/** Valkey or Redis: the one on the PATH where it has no known holes, else a fetched one. */
export const redisDriver: PartDriver = {
  label: 'Redis',
  option: '--redis-port',
  preferredPort: 16_379,
  readyDeadlineMs: 60_000,
  stopSignal: 'SIGTERM',
  stopDeadlineMs: 15_000,

  async prepare({ cacheDir, dataDir, onProgress }) {
    await provideRedis({ cacheDir, onProgress }, findWriter(dataDir));
  },

  async start(context) {
    closeFolder(context.dataDir);
    const { command, name, version } = await provideRedis(context, findWriter(context.dataDir));
    const configuration = join(context.dataDir, 'redis.conf');
    writeFileSync(configuration, toRedisConfiguration(context), { mode: 0o600 });
    writeStateFile(join(context.dataDir, WRITTEN_BY), { name, version });
    return startDaemon({
      command,
      args: [configuration],
      cwd: context.dataDir,
      env: process.env,
      marker: context.marker,
      logFile: context.logFile,
    });
  },

  async probe({ port, password }) {
    const answer = await ask(port, `AUTH ${password}\r\nPING\r\n`, 2);
    if (answer !== '+OK\r\n+PONG\r\n') throw new Error(`Redis answers ${JSON.stringify(answer)}`);
  },
};

/**
 * The server that wrote the data last; undefined when there are none. Data of an earlier version, which did not note it,
 * are of the server on the PATH where there is one, else of an old Redis that every server can read.
 */
export function findWriter(dataDir: string): RedisVersion | undefined {
  const noted = readStateFile<RedisVersion>(join(dataDir, WRITTEN_BY));
  if (noted !== undefined || !DATA.some((name) => existsSync(join(dataDir, name)))) return noted;
  return findRedisOnPath();
}

/** A commit is on disk before its outbox is published, and nothing is ever evicted. */
export function toRedisConfiguration({
  port,
  dataDir,
  password,
}: Pick<PartContext, 'port' | 'dataDir' | 'password'>): string {
  return [
    `bind ${LOOPBACK}`,
    `port ${port}`,
    `dir ${JSON.stringify(dataDir)}`,
    `requirepass ${password}`,
    'daemonize no',
    // Starts, ends and what an operator must know.
    'loglevel warning',
    'save ""',
    'appendonly yes',
    'appendfsync always',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** Sends inline commands and returns the answer once it has this many lines. */
function ask(port: number, commands: string, lines: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, LOOPBACK, () => socket.write(commands));
    const finish = (error?: Error) => {
      socket.destroy();
      if (error === undefined) resolve(answer);
      else reject(error);
    };
    socket.setEncoding('utf8').setTimeout(PROBE_TIMEOUT_MS, () => finish(new Error(`no answer from port ${port}`)));
    socket.once('error', finish);
    socket.once('close', () => finish());
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.split('\r\n').length > lines) finish();
    });
  });
}
