import { basename } from 'node:path';
import { createRegistry, type Registry } from '@perennial/artifacts';
import { toPostgresSchema } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, isAppError } from '@perennial/kernel';
import { listHeadNames, toCanonicalManifest } from '@perennial/model-manifest';
import type { Pool } from '@perennial/postgres';
import { migrate, withPool } from '@perennial/postgres';
import { type Command, readGivenFile } from '@perennial/service-host';
import type { ScoringConfig } from './config.js';
import { readLifecycle } from './contents.js';
import { findFeatureProblem, openScoringModel, readManifest, readModelFolder } from './scoring-model.js';
import { TRANSITION_MIGRATIONS } from './transition-store.js';

/** What a content is checked against before it is registered; a rollout checks it against the spec in force. */
const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

const USAGE = 'register lifecycle FILE | register model FOLDER';

/** The graph of a model, by the hash that its manifest says. */
const MODEL_FILE_KIND = 'model_file';

/** A chart may read the heads of the models registered last. */
const MODELS_LOOKED_AT_MAX = 16;

/** One-shot subcommands of `main.js`; results go to `write` as one line of JSON. */
export function createCommands(write: (line: string) => void): Record<'migrate' | 'register', Command<ScoringConfig>> {
  return {
    migrate: (config) =>
      withTables(config, async (pool, schema) => {
        await createRegistry(pool, { schema }).migrate();
        const ran = await migrate(pool, { schema, migrations: TRANSITION_MIGRATIONS });
        write(`${JSON.stringify({ schema, ran })}\n`);
      }),
    register: (config, [kind, path]) =>
      // Whatever is wrong with an artifact is said here, to whoever can correct it: a rollout of it would be rejected.
      withTables(config, async (pool, schema) => {
        const registry = createRegistry(pool, { schema });
        const { content, file } = await readContent(kind, path, () => listKnownHeads(registry));
        // The file first: a manifest that is there has its file.
        if (file !== undefined) await registry.register(MODEL_FILE_KIND, file);
        const { number, hash } = await registry.register(kind as string, content);
        write(`${JSON.stringify({ kind, number, hash })}\n`);
      }),
  };
}

/** What is registered: the content that a rollout names, and the file that a model's manifest names. */
export interface Registrable {
  readonly content: Buffer;
  readonly file?: Buffer;
}

/**
 * What to register, checked as its rollout will be; throws `config_invalid` with all problems. `knownHeads` answers the heads
 * that a chart may read; undefined while no model is registered.
 */
export async function readContent(
  kind: string | undefined,
  path: string | undefined,
  knownHeads: () => Promise<readonly string[] | undefined>,
): Promise<Registrable> {
  if (path === undefined) throw new AppError('config_invalid', `usage: ${USAGE}`);
  if (kind === 'lifecycle') return { content: await readLifecycleFile(path, knownHeads) };
  if (kind === 'model') return readModel(path);
  throw new AppError('config_invalid', `scoring registers lifecycle and model, not ${kind}; usage: ${USAGE}`);
}

async function readLifecycleFile(
  path: string,
  knownHeads: () => Promise<readonly string[] | undefined>,
): Promise<Buffer> {
  const content = await readGivenFile(path);
  readLifecycle(content, { fileName: basename(path), spec: SPEC, headNames: await knownHeads() });
  return content;
}

async function readModel(folder: string): Promise<Registrable> {
  try {
    const { manifest, file } = await readModelFolder(folder);
    const declared = readManifest(manifest);
    const problem = findFeatureProblem(declared, SPEC);
    if (problem !== undefined) throw new AppError('model_refused', `the model is rejected: ${problem}`);
    // Every machine has a CPU: a model that it cannot run could stall the service that falls back to it.
    const model = await openScoringModel(declared, file, { providers: ['cpu'] });
    await model.graph.release();
    return { content: toCanonicalManifest(manifest), file };
  } catch (cause) {
    if (isAppError(cause, 'model_refused'))
      throw new AppError('config_invalid', `${folder}: ${cause.message}`, { cause });
    throw cause;
  }
}

async function listKnownHeads(registry: Registry): Promise<readonly string[] | undefined> {
  const models = (await registry.list('model')).slice(-MODELS_LOOKED_AT_MAX);
  if (models.length === 0) return undefined;
  return listHeadNames(await Promise.all(models.map(({ hash }) => registry.load(hash))));
}

function withTables(config: ScoringConfig, work: (pool: Pool, schema: string) => Promise<void>): Promise<void> {
  const schema = toPostgresSchema(config.namespace, 'scoring');
  return withPool({ url: config.postgres.url, applicationName: 'scoring-command', connectionsMax: 1 }, (pool) =>
    work(pool, schema),
  );
}
