import { parseArgs } from 'node:util';
import { createTokenStore, runTokenCommand } from '@perennial/access';
import { readCurrency, UNREADABLE_CURRENCY } from '@perennial/commerce';
import { ARTIFACT_KIND_NAMES, FILL_ROLLOUT_KINDS, toPostgresSchema, toTopic } from '@perennial/contracts';
import { createKafkaLog } from '@perennial/kafka';
import { AppError, systemClock } from '@perennial/kernel';
import { migrate, type Pool, withPool } from '@perennial/postgres';
import type { Command, CommandHost } from '@perennial/service-host';
import { MIGRATIONS } from './adapters/migrations.js';
import { createPlaceholderRepository } from './adapters/placeholder-repository.js';
import { createPlanRepository } from './adapters/plan-repository.js';
import { createRolloutLedger } from './adapters/rollout-ledger.js';
import { createRuleReaders } from './adapters/rule-readers.js';
import { createSourceRepository, type SourceRepository } from './adapters/source-repository.js';
import type { IngestConfig } from './config.js';
import { runPlaceholderCommand } from './placeholder-command.js';
import { runPlanCommand } from './plan-command.js';
import { formatSourceRate, parseSourceRate, toFirstRate } from './source-rate.js';
import { waitForReaders } from './wait-for-readers.js';
import { writeRollout } from './write-rollout.js';

const ROLLOUT_KINDS: readonly string[] = [...ARTIFACT_KIND_NAMES, ...FILL_ROLLOUT_KINDS];

const SOURCE_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** The one-shot commands; the output is one JSON document, or a line for people. */
export function createCommands({ print, env }: CommandHost): Readonly<Record<string, Command<IngestConfig>>> {
  return {
    migrate: (config) =>
      withTables(config, async (pool, schema) => {
        await migrate(pool, { schema, migrations: MIGRATIONS });
        await createTokenStore(pool, config.namespace).migrate();
      }),

    sources: (config, args) =>
      withTables(config, async (pool, schema) => {
        const [action = '', ...rest] = args;
        const sources = createSourceRepository(pool, schema);
        if (action === 'plan')
          return runPlanCommand(rest, { sources, plans: createPlanRepository(pool, schema), print });
        return runSources(sources, { action, args: rest, print });
      }),

    placeholders: (config, args) =>
      withTables(config, (pool, schema) =>
        runPlaceholderCommand(args, { store: createPlaceholderRepository(pool, schema), print }),
      ),

    /** Tokens are valid for every service of the namespace; they are created here, at its front door. */
    tokens: (config, args) =>
      withTables(config, async (pool) => {
        const store = createTokenStore(pool, config.namespace);
        await runTokenCommand(args, { store, env, nowMs: systemClock.now(), print });
      }),

    rollout: (config, args, logger) =>
      withTables(config, async (pool, schema) => {
        const rollout = parseRollout(args);
        const topic = toTopic(config.namespace, 'eventAccepted');
        const log = createKafkaLog({ ...config.kafka, clientId: 'ingest-rollout', logger });
        try {
          const partitions = (await log.offsets(topic)).size;
          const producer = await log.createProducer();
          const ledger = createRolloutLedger(pool, schema);
          const written = await writeRollout(rollout, { producer, ledger, topic, partitions });
          if (rollout.kind === 'identity') await waitForReaders(createRuleReaders(pool, schema), rollout);
          print(JSON.stringify({ ...rollout, partitions, written }));
        } finally {
          await log.close();
        }
      }),
  };
}

async function runSources(
  sources: SourceRepository,
  { action, args, print }: { action: string; args: string[]; print: (line: string) => void },
): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      rate: { type: 'string' },
      currency: { type: 'string' },
      reports: { type: 'boolean' },
      'no-reports': { type: 'boolean' },
      json: { type: 'boolean', default: false },
    },
  });
  switch (action) {
    case 'create': {
      const created = await sources.create({
        name: parseSourceName(values.name),
        eventsPerSecondMax: toFirstRate(values.rate),
        currency: parseCurrency(values.currency),
        reports: values.reports ?? false,
      });
      print(
        values.json
          ? JSON.stringify(created)
          : `source ${created.name} (${created.sourceId})\nwrite key, shown once: ${created.writeKey}`,
      );
      return;
    }
    case 'list': {
      const listed = await sources.list();
      if (values.json) print(JSON.stringify({ sources: listed }));
      else
        for (const { id, name, eventsPerSecondMax, currency, reports, revokedAt } of listed) {
          const settings = [formatSourceRate(eventsPerSecondMax), currency ?? '', reports ? 'reports' : ''];
          if (revokedAt !== null) settings.push('revoked');
          print([id, name, ...settings].filter(Boolean).join('  '));
        }
      return;
    }
    case 'update': {
      const updated = await updateSource(sources, values.name ?? positionals[0] ?? '', values);
      const { name, eventsPerSecondMax, reports } = updated;
      const may = `source ${name} may send ${formatSourceRate(eventsPerSecondMax)} to each instance`;
      const text = `${may}, and may ${reports ? '' : 'not '}report`;
      print(values.json ? JSON.stringify(updated) : text);
      return;
    }
    case 'revoke': {
      const revoked = await sources.revoke(values.name ?? positionals[0] ?? '');
      print(values.json ? JSON.stringify(revoked) : `source ${revoked.name} is revoked`);
      return;
    }
    default:
      throw usage(`sources ${JSON.stringify(action)} is unknown; there are: create, list, update, revoke, plan`);
  }
}

async function updateSource(
  sources: SourceRepository,
  nameOrId: string,
  {
    rate,
    ...flags
  }: Partial<Record<'rate', string | undefined> & Record<'reports' | 'no-reports', boolean | undefined>>,
) {
  const { reports, 'no-reports': noReports } = flags;
  if (reports && noReports) throw usage('--reports and --no-reports exclude each other');
  const isFlagged = reports === true || noReports === true;
  if (rate === undefined && !isFlagged) throw usage('update changes --rate, --reports or --no-reports: none is there');
  if (rate === undefined) return sources.setReports(nameOrId, reports === true);
  const perSecond = parseSourceRate(rate);
  if (isFlagged) await sources.setReports(nameOrId, reports === true);
  return sources.setRate(nameOrId, perSecond);
}

function parseSourceName(name: string | undefined): string {
  if (name !== undefined && SOURCE_NAME.test(name)) return name;
  throw usage('--name must be 1 to 64 letters, digits, spaces, dots, dashes, and begin with a letter or digit');
}

function parseCurrency(currency: string | undefined): string | null {
  if (currency === undefined) return null;
  const code = readCurrency([currency]);
  if (code !== '' && code !== UNREADABLE_CURRENCY) return code;
  throw usage(`--currency must be a code of ISO 4217, such as EUR, not ${JSON.stringify(currency)}`);
}

function parseRollout(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kind: { type: 'string' },
      number: { type: 'string' },
      hash: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const { kind = '', number = '', hash = '' } = values;
  if (!ROLLOUT_KINDS.includes(kind)) throw usage(`--kind must be one of ${ROLLOUT_KINDS.join(', ')}`);
  if (!/^[1-9]\d{0,14}$/.test(number)) throw usage('--number must be a positive integer');
  if (!/^[0-9a-f]{64}$/.test(hash)) throw usage('--hash must be a SHA-256 in lower-case hex');
  return { kind, number: Number(number), hash };
}

function usage(message: string): AppError {
  return new AppError('config_invalid', message);
}

function withTables(config: IngestConfig, work: (pool: Pool, schema: string) => Promise<void>): Promise<void> {
  const schema = toPostgresSchema(config.namespace, 'ingest');
  return withPool({ url: config.postgres.url, applicationName: 'ingest-command', connectionsMax: 1 }, (pool) =>
    work(pool, schema),
  );
}
