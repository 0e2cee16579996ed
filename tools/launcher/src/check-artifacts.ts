import { ARTIFACT_KIND_NAMES, type ArtifactKind } from '@perennial/contracts';
import { type CompiledFeatures, toSpecOrPreset } from '@perennial/feature-engine';
import { AppError, isAppError } from '@perennial/kernel';
import { toArtifactPath } from './fingerprint.js';

/** Sources of a namespace's artifacts that are not the defaults, by kind: absolute paths. */
export type ArtifactPaths = Readonly<Partial<Record<ArtifactKind, string>>>;

/** Requested sources; null takes a choice back, so that the default is in force again. */
export type ArtifactChoices = Readonly<Partial<Record<ArtifactKind, string | null>>>;

/** The sources after a request. */
export function chooseArtifacts(before: ArtifactPaths, choices: ArtifactChoices = {}): ArtifactPaths {
  const chosen = Object.entries({ ...before, ...choices }).filter(([, path]) => typeof path === 'string');
  return Object.fromEntries(chosen) as ArtifactPaths;
}

/**
 * Checks all sources of a namespace against each other, as registering will: features, rates and rules about ids, then the model, then the
 * chart and the segments, then the policy. Writes nothing. Throws `config_invalid` with every problem of every file.
 */
export async function checkArtifacts(root: string, paths: ArtifactPaths): Promise<void> {
  const problems: string[] = [];
  const check = async <T>(kind: ArtifactKind, read: (path: string) => Promise<T>): Promise<T | undefined> => {
    try {
      return await read(toArtifactPath(root, kind, paths));
    } catch (error) {
      if (!isAppError(error)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const spec = await check('features', readSpec);
  await check('rates', readRates);
  await check('identity', readIdentity);
  if (spec !== undefined) await checkAgainstSpec(spec, check);
  if (problems.length === 0) return;
  if (spec === undefined) problems.push('the other files are checked once the feature spec is right');
  throw new AppError('config_invalid', `nothing was changed:\n${problems.join('\n')}${toRemedy(paths)}`);
}

type Check = <T>(kind: ArtifactKind, read: (path: string) => Promise<T>) => Promise<T | undefined>;

async function readSpec(path: string): Promise<CompiledFeatures> {
  const { readFeatureSpec } = await import('@perennial/service-feature-store');
  return toSpecOrPreset(await readFeatureSpec(path));
}

async function readIdentity(path: string): Promise<unknown> {
  const { readIdentityFile } = await import('@perennial/service-feature-store');
  return readIdentityFile(path);
}

async function readRates(path: string): Promise<unknown> {
  const { readRateTable } = await import('@perennial/service-feature-store');
  return readRateTable(path);
}

async function checkAgainstSpec(spec: CompiledFeatures, check: Check): Promise<void> {
  const [scoring, action] = await Promise.all([
    import('@perennial/service-scoring'),
    import('@perennial/service-action'),
  ]);
  // Without a valid model conditions may read any head: its own problems are enough.
  const headNames = await check('model', (path) => scoring.checkModelFolder(path, spec));
  const stages = await check('lifecycle', (path) => scoring.checkLifecycleFile(path, { spec, headNames }));
  const segmentNames = await check('segments', (path) => scoring.checkSegmentsFile(path, { spec, headNames }));
  await check('policy', (path) => action.checkPolicyFile(path, { spec, headNames, stages, segmentNames }));
}

/** A file may have been right when it was chosen, and be wrong or gone today. */
function toRemedy(paths: ArtifactPaths): string {
  const options = ARTIFACT_KIND_NAMES.filter((kind) => paths[kind] !== undefined).map((kind) => `--${kind} default`);
  return options.length === 0 ? '' : `\nthe defaults are in force again with \`./perennial up ${options.join(' ')}\``;
}
