import { basename } from 'node:path';
import { type ArtifactKind, toPostgresSchema } from '@perennial/contracts';
import { type CompiledFeatures, toSpecOrPreset } from '@perennial/feature-engine';
import { AppError, isAppError } from '@perennial/kernel';
import { listKnownHeads, type ModelManifest, toCanonicalManifest } from '@perennial/model-manifest';
import { type Failure, loadModel, TRIAL_LIMITS } from '@perennial/onnx';
import { migrate, withPool } from '@perennial/postgres';
import { withArtifacts } from '@perennial/processor-host';
import { type Command, type CommandHost, readGivenFile } from '@perennial/service-host';
import { SEGMENT_MIGRATIONS } from './adapters/segment-store.js';
import { TRANSITION_MIGRATIONS } from './adapters/transition-store.js';
import type { ScoringConfig } from './config.js';
import { PROCESSOR_NAME } from './processor.js';
import { readLifecycle, readSegments } from './rules.js';
import { findFeatureProblem, openScoringModel, readManifest, readModelFolder } from './scoring-model.js';

const USAGE = 'register lifecycle FILE | register segments FILE | register model FOLDER';

/** The one-shot commands; results are printed as one line of JSON. */
export function createCommands({ print }: CommandHost): Record<'migrate' | 'register', Command<ScoringConfig>> {
  return {
    migrate: (config) => {
      const schema = toPostgresSchema(config.namespace, PROCESSOR_NAME);
      const connection = { url: config.postgres.url, applicationName: 'scoring-command', connectionsMax: 1 };
      return withPool(connection, async (pool) => {
        const ran = await migrate(pool, { schema, migrations: [...TRANSITION_MIGRATIONS, ...SEGMENT_MIGRATIONS] });
        print(JSON.stringify({ schema, ran }));
      });
    },
    register: (config, [kind, path]) =>
      // Problems of an artifact are reported here, to the person who can correct it: its rollout would be rejected.
      withArtifacts(config, async ({ registry, store, loadNewest }) => {
        // Another spec may be in force: the rollout checks the artifact against that one.
        const spec = toSpecOrPreset(await loadNewest('features'));
        const listHeads = async () => listKnownHeads(await registry.list('model'), (hash) => store.load('model', hash));
        const { file, ...artifact } = await readArtifact(kind, path, { spec, listHeads });
        // The file first: then a registered manifest always has its file.
        if (file !== undefined) await store.put('model-file', file);
        print(JSON.stringify(await registry.register(artifact.kind, artifact.bytes, { name: artifact.name })));
      }),
  };
}

/** The bytes to register: those that a rollout names, and the file that a model's manifest names. */
interface Registrable {
  readonly kind: ArtifactKind;
  readonly name: string;
  readonly bytes: Buffer;
  readonly file?: Buffer;
}

/** The existing artifacts that this one may refer to. */
export interface KnownNames {
  readonly spec: CompiledFeatures;
  /** The heads that a chart may read; undefined while no model is registered. */
  listHeads(): Promise<readonly string[] | undefined>;
}

/**
 * Bytes to register, checked as their rollout will check them; throws `config_invalid` with all problems.
 */
export async function readArtifact(
  kind: string | undefined,
  path: string | undefined,
  known: KnownNames,
): Promise<Registrable> {
  if (path === undefined) throw new AppError('config_invalid', `usage: ${USAGE}`);
  const name = basename(path);
  if (kind === 'lifecycle') return { kind, name, bytes: await readRulesFile(path, known, readLifecycle) };
  if (kind === 'segments') return { kind, name, bytes: await readRulesFile(path, known, readSegments) };
  if (kind === 'model') return { kind, name, ...(await readModel(path, known)) };
  throw new AppError('config_invalid', `scoring registers lifecycle, segments and model, not ${kind}; usage: ${USAGE}`);
}

async function readRulesFile(
  path: string,
  { spec, listHeads }: KnownNames,
  read: typeof readLifecycle | typeof readSegments,
): Promise<Buffer> {
  const content = await readGivenFile(path);
  read(content, { fileName: basename(path), spec, headNames: await listHeads() });
  return content;
}

/** Checks a model folder as registering will; returns the names of its heads. Throws `config_invalid`. */
export async function checkModelFolder(path: string, spec: CompiledFeatures): Promise<readonly string[]> {
  const { bytes } = await readModel(path, { spec });
  return readManifest(bytes).heads.map(({ name }) => name);
}

/** Checks a chart as registering will; returns the names of its stages. Throws `config_invalid`. */
export async function checkLifecycleFile(
  path: string,
  names: { readonly spec: CompiledFeatures; readonly headNames: Iterable<string> | undefined },
): Promise<readonly string[]> {
  const { stages } = readLifecycle(await readGivenFile(path), { fileName: path, ...names });
  return [...stages.keys()];
}

/** Checks segments as registering will; returns their names. Throws `config_invalid`. */
export async function checkSegmentsFile(
  path: string,
  names: { readonly spec: CompiledFeatures; readonly headNames: Iterable<string> | undefined },
): Promise<readonly string[]> {
  const { segments } = readSegments(await readGivenFile(path), { fileName: path, ...names });
  return [...segments.keys()];
}

async function readModel(folder: string, { spec }: Pick<KnownNames, 'spec'>): Promise<{ bytes: Buffer; file: Buffer }> {
  try {
    const { manifest, file } = await readModelFolder(folder);
    const declared = readManifest(manifest);
    const problem = findFeatureProblem(declared, spec);
    if (problem !== undefined) throw new AppError('artifact_invalid', `the model is rejected: ${problem}`);
    await tryModel(declared, file);
    return { bytes: toCanonicalManifest(manifest), file };
  } catch (cause) {
    if (isAppError(cause, 'artifact_invalid'))
      throw new AppError('config_invalid', `${folder}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Opens the model and scores with it, within stricter limits than in service; throws `artifact_invalid`. */
async function tryModel(manifest: ModelManifest, file: Buffer): Promise<void> {
  const lost: Failure[] = [];
  const onLost = (loss: Failure) => void lost.push(loss);
  // Every machine has a CPU. A model that cannot run there could stall a service that falls back to the CPU.
  const options = { providers: ['cpu'], limits: TRIAL_LIMITS, onLost } as const;
  const model = await openScoringModel(manifest, file, (bytes, graph) => loadModel(bytes, graph, options));
  await model.graph.release();
  const [loss] = lost;
  if (loss !== undefined) {
    throw new AppError('artifact_invalid', `the model is rejected: scoring a full batch, ${loss.message}`);
  }
}
