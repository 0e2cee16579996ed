import { describe, expect, it } from '@jest/globals';
import { listKnownHeads } from './known-heads.js';

function toManifest(...names: string[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      formatVersion: 2,
      name: 'small',
      kind: 'tabular',
      file: { name: 'model.onnx', sha256: 'a'.repeat(64) },
      inputs: [{ name: 'features', dtype: 'float32', shape: [null, 1] }],
      outputs: [{ name: 'all', dtype: 'float32', shape: [null, names.length] }],
      features: [{ name: 'visits_7d', hash: 'b'.repeat(64) }],
      heads: names.map((name, column) => ({ name, output: 'all', column, meaning: name, kind: 'number' })),
    }),
  );
}

describe('the heads that a chart or policy may read', () => {
  const manifests = [toManifest('churn'), Buffer.from('junk'), toManifest('churn', 'renewal')];
  const load = async (hash: string) => manifests[Number(hash)] ?? toManifest(`head_${hash}`);
  const toModels = (count: number) => Array.from({ length: count }, (_, index) => ({ hash: String(index) }));

  it('are any while there is no model', async () => {
    expect(await listKnownHeads([], load)).toBeUndefined();
  });

  it('are those of all models, each once', async () => {
    expect(await listKnownHeads(toModels(3), load)).toEqual(['churn', 'renewal']);
  });

  it('are those of the models registered last', async () => {
    const heads = await listKnownHeads(toModels(40), load);
    expect(heads).toHaveLength(16);
    expect(heads?.at(-1)).toBe('head_39');
  });
});
