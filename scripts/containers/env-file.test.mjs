import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureEnvFile, parseEnv, SECRETS } from './env-file.mjs';

let folder;
let path;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-env-'));
  path = join(folder, '.env');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('ensureEnvFile', () => {
  it('makes a file that only its owner can read, each secret another one', () => {
    expect(ensureEnvFile(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const values = parseEnv(readFileSync(path, 'utf8'));
    expect([...values.keys()]).toEqual(SECRETS.map(([name]) => name));
    for (const value of values.values()) expect(value).toMatch(/^(pt_)?[0-9a-f]{64}$/);
    expect(values.get('PERENNIAL_TOKEN')).toMatch(/^pt_/);
    expect(new Set(values.values()).size).toBe(SECRETS.length);
  });

  it('leaves an existing file as it is', () => {
    ensureEnvFile(path);
    const before = readFileSync(path, 'utf8');
    expect(ensureEnvFile(path)).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('names what an existing file lacks, empty values too, and does not touch it', () => {
    writeFileSync(path, 'PERENNIAL_SECRET=abc\nREDIS_PASSWORD=\n# POSTGRES_PASSWORD=x\n');
    expect(() => ensureEnvFile(path)).toThrow(/lacks REDIS_PASSWORD, POSTGRES_PASSWORD, PERENNIAL_TOKEN;/);
    expect(readFileSync(path, 'utf8')).toContain('PERENNIAL_SECRET=abc');
  });

  it("says whose an existing file is and what to do, where it is another user's", () => {
    ensureEnvFile(path);
    const fail = (code) => () => {
      throw Object.assign(new Error(`${code}: chmod failed`), { code });
    };
    expect(() => ensureEnvFile(path, { chmod: fail('EPERM') })).toThrow(
      `${path} belongs to another user (uid ${statSync(path).uid})`,
    );
    expect(() => ensureEnvFile(path, { chmod: fail('EPERM') })).toThrow(/run this as that user, or .*sudo chown/);
    expect(() => ensureEnvFile(path, { chmod: fail('EROFS') })).toThrow('EROFS: chmod failed');
  });
});

describe('parseEnv', () => {
  it('reads quoted and exported values and leaves comments out', () => {
    expect(Object.fromEntries(parseEnv('A=1\n# B=2\nexport C="x y"\n D = z \n'))).toEqual({ A: '1', C: 'x y', D: 'z' });
  });
});
