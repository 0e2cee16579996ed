import { basename } from 'node:path';
import { encodeFeatureSpec, requireFeatureSpec, SPECS_MAX } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { withArtifacts } from '@perennial/processor-host';
import { type Command, type CommandHost, readGivenFile } from '@perennial/service-host';
import type { FeatureStoreConfig } from './config.js';

const USAGE = 'usage: register features FILE';

/** The one-shot commands; results are printed as one line of JSON. */
export function createCommands({ print }: CommandHost): Readonly<Record<'register', Command<FeatureStoreConfig>>> {
  return {
    /** `register features FILE`: reports all problems of the file at once; equal definitions give one artifact. */
    register: async (config, [kind, path]) => {
      if (kind !== 'features' || path === undefined) throw new AppError('config_invalid', USAGE);
      const bytes = await readFeatureSpec(path);
      await withArtifacts(config, async ({ registry }) => {
        const artifact = await registry.register('features', bytes, { name: basename(path) });
        // Every process holds all specs, since a state may belong to any of them.
        if (artifact.number > SPECS_MAX) {
          throw new AppError(
            'limit_exceeded',
            `a namespace has ${SPECS_MAX} feature specs at most, this is another one`,
          );
        }
        print(JSON.stringify(artifact));
      });
    },
  };
}

/** Reads a file to a spec's canonical bytes; throws `config_invalid` with the file's name and every problem. */
export async function readFeatureSpec(path: string): Promise<Buffer> {
  const content = await readGivenFile(path);
  try {
    return encodeFeatureSpec(requireFeatureSpec(content));
  } catch (cause) {
    const problems = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('config_invalid', problems.replaceAll(/^/gm, `${basename(path)}: `), { cause });
  }
}
