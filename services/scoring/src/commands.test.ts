import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { toSha256 } from '@perennial/kernel';
import { toManifestHash } from '@perennial/model-manifest';
import { readArtifact } from './commands.js';

const MODEL = join(__dirname, '../../../trainer/models/default');
const spec = compileFeatures(ECOMMERCE_FEATURES);
const noHeads = { spec, listHeads: async () => undefined };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scoring-commands-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

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

  it('refuses a model folder with one byte changed', async () => {
    const bytes = readFileSync(join(MODEL, 'model.onnx'));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(folder, 'model.onnx'), bytes);
    copyFileSync(join(MODEL, 'manifest.json'), join(folder, 'manifest.json'));
    await expect(readArtifact('model', folder, noHeads)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('the file was changed or damaged'),
    });
  });

  it.each([
    [undefined, undefined, 'usage'],
    ['model', undefined, 'usage'],
    ['policy', 'x', 'not policy'],
    ['lifecycle', '/nowhere.yaml', 'cannot read /nowhere.yaml'],
    ['model', '/nowhere', 'cannot read /nowhere/manifest.json'],
  ])('refuses %s %s', async (kind, path, reason) => {
    await expect(readArtifact(kind, path, noHeads)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(reason),
    });
  });
});
