import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { must } from '@perennial/kernel';
import { grantAccess } from './access.js';
import { readTestEnvironment } from './environment.js';
import { killChildren } from './kill-children.js';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '../..');
/** The secret that services run under. */
export const SECRET = 'integration-tests-have-a-secret-of-their-own';

/** Shared by all namespaces of a test file, which are separated within it. */
const artifactsFolder = mkdtempSync(join(tmpdir(), 'perennial-artifacts-'));
process.once('exit', () => rmSync(artifactsFolder, { recursive: true, force: true }));

export interface RunningService {
  readonly process: ChildProcess;
  readonly url: string;
}

type Variables = Readonly<Record<string, string>>;

/** A service of this repository in processes of its own, in any namespace, on the servers of the tests. */
export interface ServiceRunner {
  /** Resolves when it serves and accepts requests with AUTHORIZATION. */
  start(namespace: string, variables?: Variables): Promise<RunningService>;
  /** Runs a one-shot command; returns the last line of its output, or an empty string. */
  command(namespace: string, args: readonly string[], variables?: Variables): Promise<string>;
  /** Sends the signal; resolves to the exit code, or null for a process that was killed. */
  end(running: RunningService, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Kills the processes that a failed test left running. */
  killAll(): Promise<void>;
}

export function createServiceRunner(service: 'ingest' | 'feature-store' | 'scoring'): ServiceRunner {
  const program = join(ROOT, 'services', service, 'dist/main.js');
  const children = new Set<ChildProcess>();
  return {
    async start(namespace, variables) {
      await grantAccess(namespace);
      const env = toEnvironment(namespace, variables);
      const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.add(child);
      child.once('exit', () => children.delete(child));
      for await (const line of createInterface({ input: child.stdout })) {
        const entry = JSON.parse(line) as { message: string; url?: string };
        if (entry.message !== 'service started') continue;
        // The output is not read any further: without this the pipe would fill up and block the service.
        child.stdout.resume();
        return { process: child, url: must(entry.url, 'url') };
      }
      throw new Error(`${service} ended before it served`);
    },

    async command(namespace, args, variables) {
      const env = toEnvironment(namespace, variables);
      const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env, cwd: ROOT });
      return stdout.trim().split('\n').at(-1) ?? '';
    },

    async end({ process: child }, signal) {
      const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
      child.kill(signal);
      return exited;
    },

    killAll: () => killChildren(children),
  };
}

function toEnvironment(namespace: string, variables: Variables = {}): Record<string, string | undefined> {
  const { brokers, redisUrl, postgresUrl } = readTestEnvironment();
  return {
    PATH: process.env.PATH,
    PERENNIAL_NAMESPACE: namespace,
    PERENNIAL_SECRET: SECRET,
    KAFKA_BROKERS: brokers.join(','),
    REDIS_URL: redisUrl,
    POSTGRES_URL: postgresUrl,
    PORT: '0',
    PERENNIAL_SNAPSHOTS: 'off',
    PERENNIAL_ARTIFACTS: pathToFileURL(artifactsFolder).href,
    PERENNIAL_ARCHIVE: 'off',
    ...variables,
  };
}
