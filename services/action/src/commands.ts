import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRegistry } from '@perennial/artifacts';
import { toPostgresSchema } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { parseLifecycle } from '@perennial/lifecycle';
import { migrate, type Pool, withPool } from '@perennial/postgres';
import { type Command, readGivenFile } from '@perennial/service-host';
import { LEDGER_MIGRATIONS } from './adapters/ledger.js';
import type { ActionConfig } from './config.js';
import { readPolicy } from './policies.js';

/** What a policy is checked against before it is registered; a rollout checks it against the spec in force. */
const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

/** The one-shot commands; `print` is where their results go (standard output, one JSON document a line). */
export function createCommands(print: (line: string) => void): Readonly<Record<string, Command<ActionConfig>>> {
  return {
    migrate: (config) =>
      withTables(config, async (pool, schema) => {
        await createRegistry(pool, { schema }).migrate();
        await migrate(pool, { schema, migrations: LEDGER_MIGRATIONS });
      }),

    /** `register policy FILE [--lifecycle FILE]`: stage names are checked against that chart, or the one beside FILE. */
    register: async (config, args) => {
      const { file, lifecycleFile } = parseRegister(args);
      const content = await readGivenFile(file);
      readPolicy(content.toString('utf8'), { fileName: file, spec: SPEC, ...(await loadStages(file, lifecycleFile)) });
      await withTables(config, async (pool, schema) => {
        print(JSON.stringify(await createRegistry(pool, { schema }).register('policy', content)));
      });
    },
  };
}

function parseRegister(args: readonly string[]): { file: string; lifecycleFile: string | undefined } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { lifecycle: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [kind, file, ...rest] = positionals;
  if (kind !== 'policy' || file === undefined || rest.length > 0) {
    throw new AppError('config_invalid', 'usage: register policy FILE [--lifecycle FILE]');
  }
  return { file, lifecycleFile: values.lifecycle };
}

/** The chart's stage names; none (so: unchecked) when no chart was named and none lies beside the policy. */
async function loadStages(file: string, lifecycleFile: string | undefined): Promise<{ stages?: Iterable<string> }> {
  const path = lifecycleFile ?? join(dirname(file), 'lifecycle.yaml');
  let content: Buffer;
  try {
    content = await readGivenFile(path);
  } catch (error) {
    if (lifecycleFile !== undefined) throw error;
    return {};
  }
  const parsed = parseLifecycle(content.toString('utf8'), {
    fileName: basename(path),
    featureNames: SPEC.names,
  });
  // A chart with problems is for scoring's `register` to refuse.
  return parsed.ok ? { stages: parsed.value.stages.keys() } : {};
}

function withTables(config: ActionConfig, work: (pool: Pool, schema: string) => Promise<void>): Promise<void> {
  const schema = toPostgresSchema(config.namespace, 'action');
  return withPool({ url: config.postgres.url, applicationName: 'action-command', connectionsMax: 1 }, (pool) =>
    work(pool, schema),
  );
}
