import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findNearest } from '@perennial/expressions';
import { AppError } from '@perennial/kernel';
import type { ArtifactChoices } from './check-artifacts.js';
import { toDefaultPath } from './fingerprint.js';

/** Takes the choices of a preset back. */
export const DEFAULT_PRESET = 'default';

/** Kinds of artifacts that a preset has of its own. */
const NO_PRESET: ArtifactChoices = { features: null, model: null };

/** Names of the presets that ship, as in `up --preset saas`. */
export function listPresets(root: string): string[] {
  return readdirSync(toFolder(root)).filter((name) => existsSync(toFeaturesPath(root, name)));
}

/** The feature file of a preset. */
export function toFeaturesPath(root: string, name: string): string {
  return join(toFolder(root), name, 'features.yaml');
}

/** The rules about ids of a preset; a preset does not put them in force. */
export function toIdentityPath(root: string, name: string): string {
  return join(toFolder(root), name, 'identity.yaml');
}

/**
 * What a preset puts in force: its features, and the model that reads them, which is the default model for a preset that has
 * the default's features. Throws `config_invalid` for an unknown name.
 */
export function toPresetChoices(root: string, name: string): ArtifactChoices {
  if (name === DEFAULT_PRESET) return NO_PRESET;
  const presets = listPresets(root);
  if (!presets.includes(name)) {
    const nearest = findNearest(name, presets);
    const hint = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
    throw new AppError('config_invalid', `there is no preset ${JSON.stringify(name)}: ${presets.join(', ')}${hint}`);
  }
  const model = join(toDefaultPath(root, 'model'), '..', name);
  return { features: toFeaturesPath(root, name), model: existsSync(model) ? model : null };
}

function toFolder(root: string): string {
  return join(root, 'infra', 'presets');
}
