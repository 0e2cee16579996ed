// Binds the default model to the presets whose features have the names that it reads but other definitions: `node
// scripts/make-preset-models.mjs`, after a build and after each change of the default model or of such a preset. The graph is the
// default's; only the manifest's feature hashes differ.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFeatures, describeMissing, requireFeatureFile } from '../packages/domain/feature-engine/dist/index.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODELS = join(ROOT, 'trainer/models');
const PRESETS = join(ROOT, 'infra/presets');

const manifest = JSON.parse(readFileSync(join(MODELS, 'default/manifest.json'), 'utf8'));

for (const name of readdirSync(PRESETS)) {
  const file = join(PRESETS, name, 'features.yaml');
  if (!existsSync(file)) continue;
  const { definitions, rules } = requireFeatureFile(readFileSync(file), `${name}/features.yaml`);
  const spec = compileFeatures(definitions, rules);
  if (describeMissing(manifest.features, spec) === undefined) continue;
  const hashes = new Map(spec.features.map((feature) => [feature.name, feature.hash]));
  const features = manifest.features.map((feature) => ({ name: feature.name, hash: hashes.get(feature.name) }));
  const assumptions = {
    ...manifest.assumptions,
    preset: 'trained on orders of shops; what this preset calls an order is read as one',
  };
  const folder = join(MODELS, name);
  mkdirSync(folder, { recursive: true });
  const bound = { ...manifest, name, featureSpecHash: spec.specHash, features, assumptions };
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(bound, null, 2)}\n`);
  copyFileSync(join(MODELS, 'default', manifest.file.name), join(folder, manifest.file.name));
  process.stdout.write(`${folder}\n`);
}
