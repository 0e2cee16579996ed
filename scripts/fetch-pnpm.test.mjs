import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const TARBALL = 'bytes of pnpm';
const HASH = createHash('sha512').update(TARBALL).digest('hex');

/** In the place of npm: packs a file with known bytes, and notes what it is asked to install. */
const NPM = `#!/bin/sh
case $1 in
  pack) printf '${TARBALL}' >"$4/pnpm-1.2.3.tgz" ;;
  install) echo "$@" >"$NOTES" ;;
esac
`;

describe('fetching pnpm', () => {
  let folder;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fetch-pnpm-test-'));
    writeFileSync(join(folder, 'npm'), NPM);
    chmodSync(join(folder, 'npm'), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(packageManager, ...args) {
    const notes = join(folder, 'notes');
    rmSync(notes, { force: true });
    const path = join(folder, 'package.json');
    writeFileSync(path, JSON.stringify({ packageManager }));
    const env = {
      ...process.env,
      NOTES: notes,
      PATH: `${folder}${delimiter}${dirname(process.execPath)}${delimiter}/bin`,
    };
    const command = [join(root, 'scripts/fetch-pnpm.mjs'), '--package', path, ...args];
    const { status, stderr } = spawnSync(process.execPath, command, { env, encoding: 'utf8' });
    return { status, stderr, installed: existsSync(notes) ? readFileSync(notes, 'utf8') : undefined };
  }

  it('installs a tarball with the pinned hash', () => {
    expect(run(`pnpm@1.2.3+sha512.${HASH}`, '--prefix', '/p')).toMatchObject({ status: 0, stderr: '' });
    expect(run(`pnpm@1.2.3+sha512.${HASH}`, '--prefix', '/p').installed).toMatch(
      /^install --no-save --prefix \/p .*\.tgz\n$/,
    );
    expect(run(`pnpm@1.2.3+sha512.${HASH}`, '--prefix', '/p', '--global').installed).toMatch(
      /^install --global --prefix \/p .*\.tgz\n$/,
    );
  });

  it.each([
    ['another hash', `pnpm@1.2.3+sha512.${'0'.repeat(128)}`, `the registry's has ${HASH}`],
    ['no hash', 'pnpm@1.2.3', 'must be pnpm@VERSION+sha512.HEX'],
    ['a weaker hash', `pnpm@1.2.3+sha1.${'0'.repeat(40)}`, 'must be pnpm@VERSION+sha512.HEX'],
    ['another program', `yarn@1.2.3+sha512.${HASH}`, 'must be pnpm@VERSION+sha512.HEX'],
  ])('installs nothing with %s', (_, pin, message) => {
    const { status, stderr, installed } = run(pin, '--prefix', '/p');
    expect({ status, installed }).toEqual({ status: 1, installed: undefined });
    expect(stderr).toContain(message);
  });
});

describe('the pin of pnpm', () => {
  it('has a hash, which script and images check', () => {
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(packageManager).toMatch(/^pnpm@\d+\.\d+\.\d+\+sha512\.[0-9a-f]{128}$/);
    for (const file of ['perennial', 'infra/docker/service.Dockerfile']) {
      const text = readFileSync(join(root, file), 'utf8');
      expect(text).toContain('scripts/fetch-pnpm.mjs');
      expect(text).not.toMatch(/npm install[^\n]*pnpm@/);
    }
  });
});
