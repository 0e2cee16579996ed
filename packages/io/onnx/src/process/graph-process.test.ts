import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const PACKAGE = join(__dirname, '../..');

/** Uses up the file descriptors, then asks a process. */
const ASKS_WITHOUT_DESCRIPTORS = `
  import { openSync } from 'node:fs';
  import { GraphProcess } from './dist/process/graph-process.js';
  try {
    for (;;) openSync('/dev/null');
  } catch {
    const process = new GraphProcess({ memoryBytesMax: undefined });
    const loss = await process.ask(Buffer.alloc(5), { cpuMsMax: 1000, answerMsMax: 1000 });
    process.end();
    console.log(JSON.stringify({ ...loss, isLost: process.isLost }));
  }
`;

it('a process that cannot be started is a loss from outside, and harms nothing', () => {
  const node = ['exec', '"$0"', '--input-type=module', '--eval', '"$1"'].join(' ');
  const said = execFileSync('/bin/sh', ['-c', `ulimit -n 64; ${node}`, process.execPath, ASKS_WITHOUT_DESCRIPTORS], {
    cwd: PACKAGE,
    encoding: 'utf8',
  });
  expect(JSON.parse(said)).toEqual({
    reason: 'crash',
    message: expect.stringMatching(/no process could be started: .*EMFILE/),
    isOutside: true,
    isLost: true,
  });
});
