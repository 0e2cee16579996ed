/*
 * Loaded into the services of a chaos run (`node --require`): what the patches of src/crash-points.ts call. The process ends
 * itself with SIGKILL at the point that the file CHAOS_CRASH_POINT_FILE names, when next it is reached; the file goes first,
 * so that the next process of this instance lives.
 */
const { readFileSync, unlinkSync } = require('node:fs');

const file = process.env.CHAOS_CRASH_POINT_FILE;

function reach(point) {
  if (file === undefined || readWanted() !== point) return;
  unlinkSync(file);
  process.kill(process.pid, 'SIGKILL');
}

function readWanted() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Nobody wants it to end.
    return undefined;
  }
}

globalThis.chaosCrashPoints = {
  async commit(store, ...request) {
    reach('before commit');
    await store.commit(...request);
    reach('after commit');
  },
  async send(producer, records) {
    const half = Math.ceil(records.length / 2);
    if (records.length > 1 && readWanted() === 'in mid publish') {
      await producer.send(records.slice(0, half));
      reach('in mid publish');
    }
    await producer.send(records);
    reach('after publish');
  },
};
