import { AppError, listFirst } from '@perennial/kernel';
import { type CompiledFeatures, compileFeatures } from './compile.js';
import type { FeatureSpec } from './definition.js';
import type { FeatureSpecs } from './feature-specs.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { parseFeatureSpec } from './spec-file.js';

/** Where artifacts are stored. */
export interface SpecSource {
  /** Hashes of all artifacts of the kind, rolled out or not. */
  list(kind: 'features'): Promise<readonly string[]>;
  load(kind: 'features', hash: string): Promise<Buffer>;
}

/** Reads artifacts into the specs that a process knows. */
export interface SpecReader {
  /**
   * The spec of an artifact. All others are read as well, since a state may have been made under any that was in force
   * before. Throws `config_invalid` with every problem; errors of `source` are passed through.
   */
  read(bytes: Buffer, hash: string): Promise<CompiledFeatures>;
  /** Reads all that are not known yet: for a caller that reads a state before any rollout. */
  readAll(): Promise<void>;
}

/** Maximum specs per namespace: a process holds all of them. */
export const SPECS_MAX = 256;

export function createSpecReader(specs: FeatureSpecs, source: SpecSource): SpecReader {
  async function readAll(): Promise<void> {
    for (const hash of await source.list('features')) {
      if (specs.hasArtifact(hash)) continue;
      const parsed = parseFeatureSpec(await source.load('features', hash));
      // An invalid spec was never in force, so no state can belong to it.
      if (parsed.ok) specs.add(hash, parsed.definitions, parsed.rules);
    }
  }

  return {
    async read(bytes, hash) {
      const { definitions, rules } = requireFeatureSpec(bytes);
      const spec = specs.add(hash, definitions, rules);
      await readAll();
      return spec;
    },
    readAll,
  };
}

/** The spec in force. `load` gets it by hash: after a start its artifact may not have been read yet. */
export async function loadSpecInForce(
  inForce: ReadonlyMap<string, { readonly hash: string }>,
  { specs, load }: { readonly specs: FeatureSpecs; readonly load: (hash: string) => Promise<CompiledFeatures> },
): Promise<CompiledFeatures> {
  const rollout = inForce.get('features');
  return rollout === undefined ? specs.initial : load(rollout.hash);
}

/** The spec of some bytes; the preset when there are none, since it is then in force. */
export function toSpecOrPreset(bytes: Buffer | undefined): CompiledFeatures {
  if (bytes === undefined) return compileFeatures(ECOMMERCE_FEATURES);
  const { definitions, rules } = requireFeatureSpec(bytes);
  return compileFeatures(definitions, rules);
}

/** Problems listed of one spec: more are not read at once. */
const PROBLEMS_LISTED_MAX = 20;

/** What a spec says; throws `config_invalid` with its problems, one a line. */
export function requireFeatureSpec(bytes: Uint8Array): FeatureSpec {
  const parsed = parseFeatureSpec(bytes);
  if (parsed.ok) return parsed;
  throw new AppError('config_invalid', listFirst(parsed.problems, PROBLEMS_LISTED_MAX).join('\n'));
}
