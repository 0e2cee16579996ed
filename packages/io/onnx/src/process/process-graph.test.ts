import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import {
  createHeavyGraph,
  createNeighbourGraph,
  createShortGraph,
  createTrapGraph,
  createUnknownOperatorGraph,
} from '../../testing/index.js';
import type { GraphDeclaration } from '../graph.js';
import { type GraphLimits, RUN_LIMITS, TRIAL_LIMITS } from '../limits.js';
import { loadModel, loadModelHere, type Model } from '../model.js';

/*
 * Real processes, which run what was built: graphs that hang, eat memory or lie cost their rows a score, never the service.
 */

const FEATURES = 3;
const GRAPH: GraphDeclaration = {
  inputs: [{ name: 'features', dtype: 'float32', shape: [null, FEATURES] }],
  outputs: [{ name: 'score', dtype: 'float32', shape: [null] }],
  heads: [{ output: 'score', column: 0 }],
};
/** Short, so that the tests are. */
const QUICK: GraphLimits = { ...RUN_LIMITS, runCpuMsMax: 300, memoryBytesMax: 512 * 1024 * 1024 };
const LIMIT = 4_000;
const MIB = 1024 * 1024;

// A process takes seconds to start where others work.
jest.setTimeout(120_000);

const lost: string[] = [];
let model: Model | undefined;

afterEach(async () => {
  await model?.release();
  model = undefined;
  lost.length = 0;
});

async function load(file: Buffer, limits = QUICK): Promise<Model> {
  model = await loadModel(file, GRAPH, { providers: ['cpu'], limits, onLost: ({ reason }) => void lost.push(reason) });
  return model;
}

/** Rows of ones, but for those that spring a trap. */
function toRows(count: number, ...traps: readonly number[]): Float32Array {
  return Float32Array.from({ length: count * FEATURES }, (_, index) =>
    traps.includes(Math.floor(index / FEATURES)) ? LIMIT + 1 : 1,
  );
}

const PACKAGE = join(__dirname, '../..');

/** Loads a graph, says so, and runs a loop that never ends. */
const HANGING_SERVICE = `
  import { loadModel } from './dist/index.js';
  import { createTrapGraph } from './testing/dist/index.js';
  const [graph, limits] = [process.env.TEST_GRAPH, process.env.TEST_LIMITS].map((json) => JSON.parse(json));
  const file = createTrapGraph(${FEATURES}, 'loop', { limit: ${LIMIT} });
  const model = await loadModel(file, graph, { providers: ['cpu'], limits });
  void model.score(new Float32Array(${FEATURES}).fill(${LIMIT} + 1));
  setTimeout(() => console.log('hangs'), 200);
`;

function findGraphProcess(parent: number): number | undefined {
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(parent)], { encoding: 'utf8' });
  const line = children.split('\n').find((child) => child.includes('dist/process/main.js'));
  return line === undefined ? undefined : Number(line.trim().split(' ')[0]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const SCORE = Math.fround(1 / (1 + Math.exp(-1)));

describe('a graph in a process of its own', () => {
  it('gives the same bits as in this one', async () => {
    const file = readFileSync(join(__dirname, '../../../../../trainer/models/default/model.onnx'));
    const manifest = JSON.parse(
      readFileSync(join(__dirname, '../../../../../trainer/models/default/manifest.json'), 'utf8'),
    ) as GraphDeclaration;
    const graph = { ...manifest, heads: manifest.heads.map(({ output }) => ({ output, column: 0 })) };
    const here = await loadModelHere(file, graph, { providers: ['cpu'] });
    model = await loadModel(file, graph, { providers: ['cpu'], limits: RUN_LIMITS });
    expect(model.batchShapes).toBe(here.batchShapes);
    const rows = Float32Array.from({ length: 1_100 * 18 }, (_, index) => (index * 37) % 101);
    for (const count of [1, 17, 1_100]) {
      const part = rows.subarray(0, count * 18);
      expect(await model.score(part)).toEqual(await here.score(part));
    }
    await here.release();
  });

  it('is large: what it needs by its size comes on top of the limits', async () => {
    const limits = { ...QUICK, memoryBytesMax: 400 * MIB };
    const { score } = await load(createHeavyGraph(FEATURES, 80 * MIB), limits);
    expect([...(await score(toRows(2))).results]).toEqual([SCORE, SCORE]);
  });

  it.each(['throws', 'memory'] as const)('%s: the row has no score, the others have, at no loss', async (trap) => {
    const { score } = await load(createTrapGraph(FEATURES, trap, { limit: LIMIT }));
    const { results, failures } = await score(toRows(40, 7, 33));
    expect([...failures.keys()]).toEqual([7, 33]);
    const reason = trap === 'throws' ? 'error' : 'memory';
    for (const failure of failures.values())
      expect(failure).toMatchObject({ reason, message: expect.stringMatching(/If node/) });
    expect([...results].filter((value) => value === SCORE)).toHaveLength(38);
    expect(lost).toEqual([]);
  });

  it('hangs: it is ended, the row is found, and the next run has a new process', async () => {
    const { score } = await load(createTrapGraph(FEATURES, 'loop', { limit: LIMIT }));
    const { results, failures } = await score(toRows(20, 3));
    expect([...failures]).toEqual([[3, { reason: 'time', message: 'it needs more than 300 ms of CPU time' }]]);
    expect([...results].filter((value) => value === SCORE)).toHaveLength(19);
    // The batch, the group, and the row alone.
    expect(lost).toEqual(['time', 'time', 'time']);
    expect((await score(toRows(2))).failures.size).toBe(0);
  });

  it('is ended from outside: nothing is lost but the process', async () => {
    const { score } = await load(createTrapGraph(FEATURES, 'throws', { limit: LIMIT }));
    process.kill(must(findGraphProcess(process.pid), 'a graph process'), 'SIGKILL');
    expect((await score(toRows(2))).failures.size).toBe(0);
  });

  it('knows none of the secrets of the service', async () => {
    process.env.PERENNIAL_SECRET = 'not for graphs';
    await load(createTrapGraph(FEATURES, 'throws', { limit: LIMIT }));
    const pid = must(findGraphProcess(process.pid), 'a graph process');
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    expect(variables.some((variable) => variable.startsWith('PATH='))).toBe(true);
    expect(variables.join()).not.toContain('not for graphs');
  });

  it('does not outlive a killed service, even while it hangs', async () => {
    const limits = { ...RUN_LIMITS, runCpuMsMax: 600_000, answerMsMax: 600_000 };
    const service = spawn(process.execPath, ['--input-type=module', '-e', HANGING_SERVICE], {
      cwd: PACKAGE,
      env: { ...process.env, TEST_GRAPH: JSON.stringify(GRAPH), TEST_LIMITS: JSON.stringify(limits) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => service.stdout.once('data', resolve));
    const pid = must(findGraphProcess(must(service.pid, 'pid')), 'a graph process');
    service.kill('SIGKILL');
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it('is opened or rejected with a reason, however its file was damaged', async () => {
    const file = createTrapGraph(FEATURES, 'throws', { limit: LIMIT });
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(file);
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          const { score, release } = await load(damaged);
          await score(toRows(20, 7));
          await release();
        } catch (error) {
          expect(error).toMatchObject({
            code: 'artifact_invalid',
            message: expect.stringMatching(/^the model is rejec/),
          });
        }
      }),
      { seed: 15, numRuns: 30 },
    );
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'hangs',
      createTrapGraph(FEATURES, 'loop'),
      /opening it and scoring a few rows, it needs more than 500 ms of CPU time/,
    ],
    [
      'eats memory',
      createTrapGraph(FEATURES, 'bigMemory'),
      /it needs more than the 512 MiB of memory that its process/,
    ],
    ['answers for one row', createShortGraph(FEATURES), /output score has shape \[1\] for 16 rows/],
    ['looks at other rows', createNeighbourGraph(FEATURES), /other numbers when other rows are beside it/],
    ['has an operator of its own', createUnknownOperatorGraph(FEATURES, 'Fancy\u001b[31m'), /Fancy \[31m/],
    ['throws on any row', createTrapGraph(FEATURES, 'throws'), /Gather/],
  ])('is rejected when it %s', async (_, file, reason) => {
    await expect(load(file, { ...TRIAL_LIMITS, loadCpuMsMax: 500 })).rejects.toMatchObject({
      code: 'artifact_invalid',
      message: expect.stringMatching(reason),
    });
  });
});
