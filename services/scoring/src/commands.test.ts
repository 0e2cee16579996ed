import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { toSha256 } from '@perennial/kernel';
import { toManifestHash } from '@perennial/model-manifest';
import {
  createExternalGraph,
  createNeighbourGraph,
  createShortGraph,
  createTinyGraph,
  createTrapGraph,
} from '@perennial/onnx/testing';
import { readArtifact } from './commands.js';

// Models are tried in processes, which take seconds to start where others work.
jest.setTimeout(60_000);

const MODEL = join(__dirname, '../../../trainer/models/default');
const spec = compileFeatures(ECOMMERCE_FEATURES);
const noHeads = { spec, listHeads: async () => undefined };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scoring-commands-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const features = spec.names.length;

const toConstant = (constant: number) =>
  createTinyGraph(features, [{ name: 'score', isFlat: true, columns: [{ constant }] }]);

/** A model folder with one probability, `score`. */
function writeModel(name: string, file: Buffer): string {
  const path = join(folder, name);
  mkdirSync(path);
  const manifest = {
    formatVersion: 2,
    name: 'test',
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: toSha256(file) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, features] }],
    outputs: [{ name: 'score', dtype: 'float32', shape: [null] }],
    features: spec.features,
    heads: [{ name: 'score', output: 'score', meaning: 'A score', kind: 'probability' }],
  };
  writeFileSync(join(path, 'model.onnx'), file);
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest));
  return path;
}

describe('readArtifact', () => {
  it('takes a model folder as its canonical manifest, by whose hash it goes, and the file', async () => {
    const { bytes, file } = await readArtifact('model', MODEL, noHeads);
    expect(toSha256(bytes)).toBe(toManifestHash(readFileSync(join(MODEL, 'manifest.json'))));
    expect(file?.equals(readFileSync(join(MODEL, 'model.onnx')))).toBe(true);
  });

  it('knows which heads a chart may read', async () => {
    const path = join(__dirname, '../../../infra/defaults/lifecycle.yaml');
    await expect(
      readArtifact('lifecycle', path, { spec, listHeads: async () => ['renewal', 'chrun'] }),
    ).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(
        /lifecycle\.yaml:\d+:\d+: unknown name "scores\.churn", did you mean "scores\.chrun"\?/,
      ),
    });
  });

  it('takes the chart that ships', async () => {
    const path = join(__dirname, '../../../infra/defaults/lifecycle.yaml');
    expect((await readArtifact('lifecycle', path, noHeads)).bytes.equals(readFileSync(path))).toBe(true);
  });

  it('says every problem of a chart, with line and nearest word', async () => {
    const path = join(folder, 'lifecycle.yaml');
    writeFileSync(
      path,
      'version: 1\ninitial: new\nstages:\n  new:\n    transitions:\n      - to: gon\n        when: features.orders_count_al > 1\n  gone: {}\n',
    );
    await expect(readArtifact('lifecycle', path, noHeads)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/lifecycle\.yaml:7:.*orders_count_all/s),
    });
  });

  it('rejects a model folder with one byte changed', async () => {
    const bytes = readFileSync(join(MODEL, 'model.onnx'));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(folder, 'model.onnx'), bytes);
    copyFileSync(join(MODEL, 'manifest.json'), join(folder, 'manifest.json'));
    await expect(readArtifact('model', folder, noHeads)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('the file was changed or damaged'),
    });
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'asks for 800 MB',
      createTrapGraph(features, 'bigMemory'),
      /needs more than the 512 MiB of memory that its process/,
    ],
    ['answers for one row', createShortGraph(features), /output score has shape \[1\] for 16 rows/],
    ['looks at other rows', createNeighbourGraph(features), /other numbers when other rows are beside it/],
    ['needs another file', createExternalGraph(features, '/etc/hostname'), /external data/],
    ['gives no probability', toConstant(1.5), /gave 1.5 for score, which is from 0 to 1/],
    ['gives no number', toConstant(Number.NaN), /gave NaN for score/],
  ])(
    'rejects a model that %s',
    async (name, file, reason) => {
      await expect(readArtifact('model', writeModel(name, file), noHeads)).rejects.toMatchObject({
        code: 'config_invalid',
        message: expect.stringMatching(reason),
      });
    },
    60_000,
  );

  it('takes a model with branches, which may fail on rows that no check has', async () => {
    const path = writeModel('trap', createTrapGraph(features, 'memory', { limit: 4_000 }));
    expect((await readArtifact('model', path, noHeads)).kind).toBe('model');
  });

  it.each([
    ['a device that never ends', (path: string) => symlinkSync('/dev/zero', path), 'is no file'],
    ['a folder', (path: string) => mkdirSync(path), 'is no file'],
    ['too large a file', (path: string) => writeHoles(path, 1_073_741_825), 'has 1073741825 bytes'],
  ])('does not read %s', async (name, write, reason) => {
    const path = writeModel(name, Buffer.alloc(0));
    rmSync(join(path, 'model.onnx'));
    write(join(path, 'model.onnx'));
    await expect(readArtifact('model', path, noHeads)).rejects.toMatchObject({
      message: expect.stringContaining(reason),
    });
  });

  it.each([
    [undefined, undefined, 'usage'],
    ['model', undefined, 'usage'],
    ['policy', 'x', 'not policy'],
    ['lifecycle', '/nowhere.yaml', 'cannot read /nowhere.yaml'],
    ['model', '/nowhere', 'cannot read /nowhere/manifest.json'],
  ])('rejects %s %s', async (kind, path, reason) => {
    await expect(readArtifact(kind, path, noHeads)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(reason),
    });
  });
});

/** A file of so many bytes that takes none of the disk. */
function writeHoles(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}
