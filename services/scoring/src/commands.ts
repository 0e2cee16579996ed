import { basename } from 'node:path';
import { createRegistry } from '@perennial/artifacts';
import { toPostgresSchema } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, isAppError } from '@perennial/kernel';
import { loadModel, packFiles, readModelFolder } from '@perennial/onnx';
import type { Pool } from '@perennial/postgres';
import { migrate, withPool } from '@perennial/postgres';
import { type Command, readGivenFile } from '@perennial/service-host';
import type { ScoringConfig } from './config.js';
import { readLifecycle } from './contents.js';
import { TRANSITION_MIGRATIONS } from './transition-store.js';

/** What a content is checked against before it is registered; a rollout checks it against the spec in force. */
const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

const USAGE = 'register lifecycle FILE | register model FOLDER';

/** One-shot subcommands of `main.js`; results go to `write` as one line of JSON. */
export function createCommands(write: (line: string) => void): Record<'migrate' | 'register', Command<ScoringConfig>> {
  return {
    migrate: (config) =>
      withTables(config, async (pool, schema) => {
        await createRegistry(pool, { schema }).migrate();
        const ran = await migrate(pool, { schema, migrations: TRANSITION_MIGRATIONS });
        write(`${JSON.stringify({ schema, ran })}\n`);
      }),
    async register(config, [kind, path]) {
      // Whatever is wrong with a content is said here, to whoever can mend it: a rollout of it would only be refused.
      const content = await readContent(kind, path);
      await withTables(config, async (pool, schema) => {
        const { number, hash } = await createRegistry(pool, { schema }).register(kind as string, content);
        write(`${JSON.stringify({ kind, number, hash })}\n`);
      });
    },
  };
}

/** The content to register, checked as its rollout will; throws `config_invalid` with all problems. */
export async function readContent(kind: string | undefined, path: string | undefined): Promise<Buffer> {
  if (path === undefined) throw new AppError('config_invalid', `usage: ${USAGE}`);
  if (kind === 'lifecycle') return readLifecycleFile(path);
  if (kind === 'model') return readModel(path);
  throw new AppError('config_invalid', `scoring registers lifecycle and model, not ${kind}; usage: ${USAGE}`);
}

async function readLifecycleFile(path: string): Promise<Buffer> {
  const content = await readGivenFile(path);
  readLifecycle(content, { fileName: basename(path), spec: SPEC });
  return content;
}

async function readModel(folder: string): Promise<Buffer> {
  try {
    const files = await readModelFolder(folder);
    const model = await loadModel(files, {
      featureSpecHash: SPEC.specHash,
      featureNames: SPEC.names,
      // Every machine has one: a model that the CPU cannot run could stall the service that falls back to it.
      providers: ['cpu'],
    });
    await model.release();
    return packFiles(files);
  } catch (cause) {
    if (isAppError(cause, 'model_refused'))
      throw new AppError('config_invalid', `${folder}: ${cause.message}`, { cause });
    throw cause;
  }
}

function withTables(config: ScoringConfig, work: (pool: Pool, schema: string) => Promise<void>): Promise<void> {
  const schema = toPostgresSchema(config.namespace, 'scoring');
  return withPool({ url: config.postgres.url, applicationName: 'scoring-command', connectionsMax: 1 }, (pool) =>
    work(pool, schema),
  );
}
