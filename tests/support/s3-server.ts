import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomToken } from '@perennial/kernel';
import { pickPort } from '@perennial/native-stack';
import { eventually } from './eventually.js';

/** Nothing can be awaited before a test file is defined, and the skipped tests must be known by then. */
const FETCH = join(import.meta.dirname, '../dist/fixtures/fetch-s3-server.js');
const START_WAIT_MS_MAX = 60_000;

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/** The folder of the server's jars, fetched once; or why it is unavailable, for the title of the skipped tests. */
export function fetchS3Server(): { readonly jars: string } | { readonly problem: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [FETCH], { encoding: 'utf8' });
  if (status === 0) return { jars: stdout };
  return { problem: stderr.match(/Error: (.*)/)?.[1] ?? `exit code ${status}` };
}

export async function startS3Server(jars: string): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 's3-server-'));
  const port = await pickPort();
  const bucket = 'perennial-test';
  const credentials = { accessKeyId: createRandomToken(), secretAccessKey: createRandomToken() };
  mkdirSync(join(folder, 'buckets', bucket), { recursive: true });
  const properties = join(folder, 's3proxy.conf');
  writeFileSync(properties, toProperties({ port, credentials, folder: join(folder, 'buckets') }));
  const child = spawn('java', ['-cp', join(jars, '*'), 'org.gaul.s3proxy.Main', '--properties', properties], {
    stdio: 'ignore',
  });
  const stop = () => stopServer(child, folder);
  try {
    await eventually(() => isOpen(port), { withinMs: START_WAIT_MS_MAX, what: 'S3Proxy listens' });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${port}`, bucket, credentials, stop };
}

function toProperties(of: { port: number; credentials: S3Server['credentials']; folder: string }): string {
  return [
    `s3proxy.endpoint=http://127.0.0.1:${of.port}`,
    's3proxy.authorization=aws-v4',
    `s3proxy.identity=${of.credentials.accessKeyId}`,
    `s3proxy.credential=${of.credentials.secretAccessKey}`,
    'jclouds.provider=filesystem-nio2',
    `jclouds.filesystem.basedir=${of.folder}`,
  ].join('\n');
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function stopServer(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  rmSync(folder, { recursive: true, force: true });
}
