import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readZipEntry } from './zip.js';

/** A zip exactly as specified: local headers and data, central directory, end record. */
function toZip(files: Record<string, { data: Buffer; method: 0 | 8 }>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, { data, method }] of Object.entries(files)) {
    const stored = method === 8 ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(stored.length, 20);
    entry.writeUInt32LE(data.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), stored);
    central.push(entry, Buffer.from(name));
    offset += 30 + name.length + stored.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...central, end]);
}

describe('zip', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-test-'));
  const path = join(folder, 'a.zip');
  afterAll(() => rmSync(folder, { recursive: true }));
  const long = Buffer.from('abc'.repeat(1_000));
  writeFileSync(
    path,
    toZip({ 'dir/stored': { data: Buffer.from('hello'), method: 0 }, deflated: { data: long, method: 8 } }),
  );

  it('reads stored and deflated entries', () => {
    expect(readZipEntry(path, 'dir/stored').toString()).toBe('hello');
    expect(readZipEntry(path, 'deflated').equals(long)).toBe(true);
  });

  it('names what is missing, and what is no zip', () => {
    expect(() => readZipEntry(path, 'other')).toThrow('has no entry other');
    writeFileSync(path, 'just some text that is long enough');
    expect(() => readZipEntry(path, 'other')).toThrow('not a zip');
  });
});
