// Installs the pnpm that package.json pins, by version and SHA-512: what the registry serves under the version must have
// these bytes. `./perennial` and the images' Dockerfile use it, before any dependency is there.
//
//   node scripts/fetch-pnpm.mjs --prefix FOLDER            into FOLDER/node_modules
//   node scripts/fetch-pnpm.mjs --prefix FOLDER --global   as a program, FOLDER/bin/pnpm
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const QUIET = ['--no-audit', '--no-fund', '--no-update-notifier'];

try {
  const { values } = parseArgs({
    options: { prefix: { type: 'string' }, global: { type: 'boolean', default: false }, package: { type: 'string' } },
  });
  if (values.prefix === undefined) throw new Error('give --prefix FOLDER');
  fetchPnpm(values);
} catch (error) {
  console.error(`fetch-pnpm: ${error.message}`);
  process.exitCode = 1;
}

function fetchPnpm({ prefix, global: isGlobal, package: path = join(import.meta.dirname, '..', 'package.json') }) {
  const { version, sha512 } = parsePin(JSON.parse(readFileSync(path, 'utf8')).packageManager);
  const folder = mkdtempSync(join(tmpdir(), 'fetch-pnpm-'));
  try {
    npm(['pack', `pnpm@${version}`, '--pack-destination', folder, '--silent'], folder);
    const tarball = join(folder, `pnpm-${version}.tgz`);
    const found = createHash('sha512').update(readFileSync(tarball)).digest('hex');
    if (found !== sha512) {
      throw new Error(
        `pnpm ${version} should have SHA-512 ${sha512}, as package.json says, but the registry's has ${found}`,
      );
    }
    npm(['install', isGlobal ? '--global' : '--no-save', '--prefix', prefix, ...QUIET, tarball], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `pnpm@10.34.9+sha512.<hex>`: a version without its hash would be whatever the registry serves today. */
function parsePin(pin) {
  const match = /^pnpm@(\d+\.\d+\.\d+)\+sha512\.([0-9a-f]{128})$/.exec(pin ?? '');
  if (match === null) throw new Error(`packageManager in package.json is ${pin}, but must be pnpm@VERSION+sha512.HEX`);
  return { version: match[1], sha512: match[2] };
}

function npm(args, cwd) {
  try {
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const said = `${error.stderr ?? ''}${error.stdout ?? ''}`.trim();
    throw new Error(`npm ${args[0]} failed: ${said || error.message}`);
  }
}
