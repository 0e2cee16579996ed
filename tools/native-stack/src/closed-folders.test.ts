import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeFolder, closeInstallation, closeOwnFolder } from './closed-folders.js';
import { startDaemon } from './daemon.js';
import { toLayout } from './layout.js';
import { isRunning } from './process-ref.js';
import { findClosedFolder, findServerUser } from './server-user.js';
import { writeStateFile } from './state-file.js';

const OTHERS = 0o007;
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('the folders of an installation', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'closed-folders-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('are closed to other users, also those that an earlier version left open', () => {
    const layout = toLayout({ home });
    for (const folder of [
      'data/stack/redis',
      'state/namespaces',
      'logs/live',
      'snapshots',
      'artifacts',
      'archive',
      'backfills',
    ])
      mkdirSync(join(home, folder), { recursive: true, mode: 0o755 });
    mkdirSync(join(home, 'cache'));
    writeFileSync(join(home, 'state/stack.json'), '{}', { mode: 0o644 });
    writeFileSync(join(home, 'state/namespaces/live.json'), '{}', { mode: 0o644 });
    chmodSync(home, 0o755);
    for (let start = 0; start < 2; start++) {
      closeInstallation(layout);
      expect(modeOf(home) & OTHERS).toBe(0);
      for (const name of readdirSync(home).filter((entry) => entry !== 'cache'))
        expect({ name, mode: modeOf(join(home, name)) & OTHERS }).toEqual({ name, mode: 0 });
      for (const name of ['state', 'logs', 'snapshots', 'artifacts', 'archive', 'backfills'])
        expect(modeOf(join(home, name))).toBe(0o700);
      expect(modeOf(join(home, 'state/stack.json'))).toBe(0o600);
      expect(modeOf(join(home, 'state/namespaces/live.json'))).toBe(0o600);
    }
  });

  it('are closed where the home is a disk with folders of somebody else, which stay open', () => {
    chmodSync(home, 0o755);
    for (const name of ['photos', 'state', 'logs']) mkdirSync(join(home, name), { mode: 0o755 });
    closeInstallation(toLayout({ home }));
    const modes = ['', 'photos', 'state', 'logs', 'data'].map((name) => modeOf(join(home, name)) & OTHERS);
    expect(modes).toEqual([0o005, 0o005, 0, 0, 0]);
  });

  it('are closed while another command writes its state files', async () => {
    const layout = toLayout({ home });
    mkdirSync(join(layout.stateDir, 'namespaces'), { recursive: true });
    const writes = `
      const fs = require('node:fs');
      for (let i = 0; ; i++) {
        fs.writeFileSync('one.json.partial', '{}');
        fs.renameSync('one.json.partial', 'one.json');
        if (i === 0) process.stdout.write('writes');
      }`;
    const other = spawn(process.execPath, ['-e', writes], { cwd: join(layout.stateDir, 'namespaces') });
    await once(other.stdout, 'data');
    try {
      for (let i = 0; i < 2_000; i++) closeInstallation(layout);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'close');
    }
  });

  it('lie in no folder that somebody else has made where everybody may', () => {
    const [theirs, link, own] = ['theirs', 'link', 'own'].map((name) => join(home, name)) as [string, string, string];
    mkdirSync(theirs, { mode: 0o755 });
    symlinkSync(theirs, link);
    expect(() => closeOwnFolder(link)).toThrow('is a link or belongs to another user');
    expect(modeOf(theirs)).toBe(0o755);
    closeOwnFolder(own);
    closeOwnFolder(own);
    expect(modeOf(own)).toBe(0o700);
    if (process.getuid?.() !== 0) return;
    chownSync(theirs, 65_534, 65_534);
    expect(() => closeOwnFolder(theirs)).toThrow('is a link or belongs to another user');
  });

  it("let PostgreSQL's user, and nobody else, on the way to its own folder", () => {
    const user = findServerUser();
    const inner = join(home, 'data', 'postgres');
    closeInstallation(toLayout({ home }));
    closeFolder(inner, { enter: user });
    expect(modeOf(inner)).toBe(user === undefined ? 0o700 : 0o710);
    if (user === undefined) return;
    expect(statSync(inner).gid).toBe(user.gid);
    expect(findClosedFolder(inner, user)).toBeUndefined();
    expect(findClosedFolder(inner, { uid: user.uid + 1, gid: user.gid + 1 })).toBe(home);
  });

  it('get new state files and folders for their owner alone', () => {
    const path = join(home, 'state', 'deep', 'one.json');
    writeStateFile(path, { secret: 'x' });
    expect(modeOf(path)).toBe(0o600);
    expect(modeOf(join(home, 'state', 'deep'))).toBe(0o700);
  });

  it('get files of started processes for their owner alone', async () => {
    const logFile = join(home, 'logs', 'daemon.log');
    const ref = await startDaemon({
      command: process.execPath,
      args: [
        '-e',
        "fs.mkdirSync('made'); fs.writeFileSync('made/file', ''); console.log('done'); setTimeout(() => {}, 300)",
      ],
      cwd: home,
      env: process.env,
      marker: join(home, 'daemon'),
      logFile,
    });
    while (isRunning(ref) && !readFileSync(logFile, 'utf8').includes('done'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(readFileSync(logFile, 'utf8')).toBe('done\n');
    expect(modeOf(join(home, 'made'))).toBe(0o700);
    expect(modeOf(join(home, 'made/file'))).toBe(0o600);
    expect(modeOf(join(home, 'logs'))).toBe(0o700);
    expect(modeOf(logFile)).toBe(0o600);
    // The mask is that of the start alone.
    const open = join(home, 'open');
    mkdirSync(open);
    expect(modeOf(open)).toBe(0o777 & ~process.umask());
  });
});
