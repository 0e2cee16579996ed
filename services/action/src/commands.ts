import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { toPostgresSchema } from '@perennial/contracts';
import { type CompiledFeatures, toConditionNames, toSpecOrPreset } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { parseLifecycle } from '@perennial/lifecycle';
import { listKnownHeads } from '@perennial/model-manifest';
import { migrate, withPool } from '@perennial/postgres';
import { withArtifacts } from '@perennial/processor-host';
import { readSegmentNames } from '@perennial/segments';
import { type Command, type CommandHost, readGivenFile } from '@perennial/service-host';
import { EXPOSURE_MIGRATIONS } from './adapters/exposures.js';
import { LEDGER_MIGRATIONS } from './adapters/ledger.js';
import { readPolicy } from './artifacts.js';
import type { ActionConfig } from './config.js';
import { PROCESSOR_NAME } from './processor.js';

/** The one-shot commands; results are printed as one line of JSON. */
export function createCommands({ print }: CommandHost): Readonly<Record<string, Command<ActionConfig>>> {
  return {
    migrate: async (config) => {
      const schema = toPostgresSchema(config.namespace, PROCESSOR_NAME);
      const connection = { url: config.postgres.url, applicationName: 'action-command', connectionsMax: 1 };
      await withPool(connection, (pool) =>
        migrate(pool, { schema, migrations: [...LEDGER_MIGRATIONS, ...EXPOSURE_MIGRATIONS] }),
      );
    },

    /**
     * `register policy FILE [--lifecycle FILE]`: checks stage names against that chart, or the one beside FILE; heads
     * and segments against those registered last.
     */
    register: async (config, args) => {
      const { file, lifecycleFile } = parseRegister(args);
      const bytes = await readGivenFile(file);
      await withArtifacts(config, async ({ registry, store, loadNewest }) => {
        // Another spec may be in force: the rollout checks the policy against that one.
        const spec = toSpecOrPreset(await loadNewest('features'));
        const stages = await loadStages(file, { lifecycleFile, spec });
        const headNames = await listKnownHeads(await registry.list('model'), (hash) => store.load('model', hash));
        const segments = await loadNewest('segments');
        const segmentNames = segments && readSegmentNames(segments.toString('utf8'));
        readPolicy(bytes.toString('utf8'), { fileName: file, spec, headNames, segmentNames, ...stages });
        print(JSON.stringify(await registry.register('policy', bytes, { name: basename(file) })));
      });
    },
  };
}

/** Checks a policy as registering will, and its stages. Throws `config_invalid` with every problem. */
export async function checkPolicyFile(
  path: string,
  {
    stages,
    ...names
  }: Pick<Parameters<typeof readPolicy>[1], 'spec' | 'headNames' | 'segmentNames'> & {
    /** Those of the chart; not checked when absent. */
    readonly stages: Iterable<string> | undefined;
  },
): Promise<void> {
  const bytes = await readGivenFile(path);
  readPolicy(bytes.toString('utf8'), { fileName: path, ...names, ...(stages === undefined ? {} : { stages }) });
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

/** The chart's stage names; none (so they are unchecked) when no chart is given and none is beside the policy. */
async function loadStages(
  file: string,
  { lifecycleFile, spec }: { lifecycleFile: string | undefined; spec: CompiledFeatures },
): Promise<{ stages?: Iterable<string> }> {
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
    ...toConditionNames(spec),
  });
  // Scoring's `register` reports the problems of a chart.
  return parsed.ok ? { stages: parsed.value.stages.keys() } : {};
}
