import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError, must } from '@perennial/kernel';
import { ensureCached, LOOPBACK, pickPort, runCommand } from '@perennial/native-stack';
import { until } from '../until.js';
import type { ReadUsers } from './time-reads.js';

const FEAST = 'feast-0.67.0';
const INSTALL_TIMEOUT_MS = 600_000;
/** The server imports pandas and more. */
const SERVER_WAIT = { waitMsMax: 120_000, pollMs: 200 };
const STOP_WAIT_MS = 10_000;

const inPackage = (path: string) => fileURLToPath(new URL(`../../feast/${path}`, import.meta.url));
const SCRIPT = inPackage('feast_bench.py');

/** One profile as Feast stores it: its id, and its features in order. */
export type FeastRow = readonly [userId: string, values: ReadonlyArray<number | null>];

/** The open-source feature store Feast over the same Redis: its library in Python, and its server over HTTP. */
export interface Feast {
  readonly version: string;
  /** Durations in ms of reads in the Python process, without HTTP. */
  readInProcess(requests: ReadonlyArray<readonly string[]>): Promise<number[]>;
  /** One read over HTTP. */
  readonly readOverHttp: ReadUsers;
  stop(): Promise<void>;
}

interface FeastOptions {
  readonly cacheDir: string;
  /** Where its registry and settings are written. */
  readonly folder: string;
  readonly redisUrl: string;
  readonly features: readonly string[];
  readonly rows: readonly FeastRow[];
  readonly onProgress: (message: string) => void;
}

/** Installs Feast once, from PyPI, and starts it with the given rows. Throws `not_found` without Python 3. */
export async function startFeast({ cacheDir, folder, onProgress, ...options }: FeastOptions): Promise<Feast> {
  onProgress('installing Feast from PyPI (590 MB, once)');
  const python = join(await ensureCached(cacheDir, FEAST, install), 'bin', 'python');
  mkdirSync(folder, { recursive: true });
  const library = new FeastLibrary(python);
  try {
    const { redisUrl, features, rows } = options;
    const { version } = await library.ask<{ version: string }>({
      op: 'open',
      folder,
      redis: toRedis(redisUrl),
      features,
    });
    onProgress('writing the same rows to Feast');
    await library.ask({ op: 'write', rows });
    const port = await pickPort();
    const server = spawn(python, [SCRIPT, 'serve', folder, String(port)], { stdio: 'ignore' });
    const url = `http://${LOOPBACK}:${port}`;
    try {
      await until(() => isUp(url), { ...SERVER_WAIT, otherwise: () => 'the server of Feast does not answer' });
    } catch (error) {
      await end(server);
      throw error;
    }
    return {
      version,
      readInProcess: async (requests) => (await library.ask<{ ms: number[] }>({ op: 'read', requests })).ms,
      readOverHttp: {
        path: '/get-online-features',
        url,
        headers: {},
        toBody: (users) => ({ features: features.map((name) => `profile:${name}`), entities: { user_id: users } }),
      },
      stop: async () => void (await Promise.all([end(server), library.stop()])),
    };
  } catch (error) {
    await library.stop();
    throw error;
  }
}

async function install(folder: string): Promise<void> {
  const limit = { timeoutMs: INSTALL_TIMEOUT_MS };
  await runCommand('python3', ['-m', 'venv', folder], limit);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await runCommand(join(folder, 'bin', 'python'), [...pip, '-r', inPackage('requirements.txt')], limit);
}

/** The form in which Feast takes an address: `host:port,password=...`. */
function toRedis(redisUrl: string): string {
  const { hostname, port, password } = new URL(redisUrl);
  return `${hostname}:${port}${password === '' ? '' : `,password=${decodeURIComponent(password)}`}`;
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    // Not yet: the caller has a time limit.
    return false;
  }
}

/** Feast in a Python process, which answers one line to each. */
class FeastLibrary {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string) {
    this.#child = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
    const lines = createInterface({ input: must(this.#child.stdout, 'stdout') });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async ask<T>(command: Readonly<Record<string, unknown>>): Promise<T> {
    must(this.#child.stdin, 'stdin').write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new AppError('dependency_unavailable', `Feast ended at ${JSON.stringify(command.op)}`);
    return JSON.parse(value as string) as T;
  }

  async stop(): Promise<void> {
    await end(this.#child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
