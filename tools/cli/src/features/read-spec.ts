import { basename } from 'node:path';
import { type CompiledFeatures, compileFeatures, requireFeatureFile, toSpecOrPreset } from '@perennial/feature-engine';
import { AppError, toMessage } from '@perennial/kernel';
import { listPresets, toFeaturesPath } from '@perennial/launcher';
import { toLayout } from '@perennial/native-stack';
import { readBytes } from '../read-text.js';

/** Names the spec that a namespace begins with, as in `up --features default`. */
export const DEFAULT_SPEC = 'default';

/**
 * The compiled spec of a file, or of a preset by its name; throws `config_invalid` with the file's name and every
 * problem.
 */
export function readSpec(file: string): CompiledFeatures {
  if (file === DEFAULT_SPEC) return toSpecOrPreset(undefined);
  const { root } = toLayout();
  const path = listPresets(root).includes(file) ? toFeaturesPath(root, file) : file;
  let bytes: Buffer;
  try {
    bytes = readBytes(path);
  } catch (error) {
    throw new AppError('config_invalid', `cannot read the feature spec: ${toMessage(error)}`, { cause: error });
  }
  try {
    const { definitions, rules } = requireFeatureFile(bytes, basename(path));
    return compileFeatures(definitions, rules);
  } catch (error) {
    throw new AppError('config_invalid', `${file} is no valid feature spec:\n${toMessage(error)}`, { cause: error });
  }
}
