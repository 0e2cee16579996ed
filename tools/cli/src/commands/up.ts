import { resolve } from 'node:path';
import { type ArtifactKind, SERVICE_NAMES } from '@perennial/contracts';
import { ensurePlatform, type Platform, toPresetChoices } from '@perennial/launcher';
import { attachStack, checkMachine, toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { MachineError } from '../exit-codes.js';
import { createNamespaceOption, createPartitionsOption, createPortOption } from '../options.js';
import { lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { createProgress } from '../progress.js';
import { createSecretsOption, toShown } from '../secrets.js';
import { toRulesPath } from './identity-rules.js';

export interface UpOptions {
  readonly namespace: string;
  readonly oneProcess?: boolean;
  readonly partitions?: number;
  readonly kafkaPort?: number;
  readonly redisPort?: number;
  readonly postgresPort?: number;
  readonly httpPort?: number;
  readonly preset?: string;
  readonly features?: string;
  readonly rates?: string;
  readonly identity?: string;
  readonly lifecycle?: string;
  readonly model?: string;
  readonly segments?: string;
  readonly policy?: string;
  readonly json?: boolean;
  readonly secrets?: boolean;
}

export function createUpCommand(): Command {
  return new Command('up')
    .addOption(createNamespaceOption())
    .option('--one-process', 'all services in one process, still over the topics: for small machines')
    .option('--no-one-process', 'one process a service (the default)')
    .addOption(createPartitionsOption())
    .addOption(createPortOption('--kafka-port', 'Kafka'))
    .addOption(createPortOption('--redis-port', 'Redis'))
    .addOption(createPortOption('--postgres-port', 'PostgreSQL'))
    .addOption(createPortOption('--http-port', 'ingest'))
    .option(
      '--preset <name>',
      'feature spec, and the model that reads it, of a kind of business: ecommerce, saas, knowledge or media; "default" goes back',
    )
    .option(
      '--features <file>',
      'feature spec (YAML or JSON) to put in force and keep; "default" goes back to the default',
    )
    .option(
      '--rates <file>',
      'rate table to put in force and keep; the first one decides the currency of the namespace',
    )
    .option(
      '--identity <file>',
      'rules about ids to put in force and keep, or the name of a preset: which kinds join profiles; "default" goes back',
    )
    .option('--lifecycle <file>', 'lifecycle chart to put in force and keep; "default" goes back to the default')
    .option('--model <folder>', 'model folder to put in force and keep; "default" goes back to the default')
    .option('--segments <file>', 'segments to put in force and keep; "default" goes back to the default')
    .option('--policy <file>', 'policy to put in force and keep; "default" goes back to the default')
    .option('--json', 'print the endpoints as JSON')
    .addOption(createSecretsOption())
    .addHelpText(
      'after',
      `
Examples:
  ./perennial up                                  start what is missing; a second time it does nothing
  ./perennial up --namespace trial --partitions 4 a namespace of its own beside live
  ./perennial up --policy my-policy.yaml          put another policy in force, without a restart
  ./perennial up --policy default                 and take that back; a file called default is ./default
  ./perennial up --namespace trial --preset saas  a new namespace with the features of subscription software
  ./perennial up --namespace eu --rates eur.yaml  a namespace that adds up money in the table's currency
  psql "$(./perennial up --json --secrets | jq -r .postgresUrl)"   the URL with its password
  curl "$(./perennial up --json | jq -r .services.ingest)/health/ready"`,
    )
    .action(async (options: UpOptions) => {
      const platform = await up(options);
      if (options.json) printJson(toAnswer(platform, options));
      else printLine(formatSummary(platform));
    });
}

/** Checks the machine where something must be started, then starts the namespace with progress on stderr. */
export async function up(options: UpOptions): Promise<Platform> {
  const layout = toLayout();
  const preset = options.preset === undefined ? {} : toPresetChoices(layout.root, options.preset);
  if (attachStack(layout) === undefined) await requireMachine();
  const progress = createProgress();
  try {
    return await ensurePlatform({
      root: layout.root,
      home: layout.home,
      namespace: options.namespace,
      oneProcess: options.oneProcess,
      partitions: options.partitions,
      stackPorts: withoutUndefined({
        kafka: options.kafkaPort,
        redis: options.redisPort,
        postgres: options.postgresPort,
      }),
      ingestPort: options.httpPort,
      artifactPaths: {
        ...preset,
        ...withoutUndefined<ArtifactKind, string | null>({
          features: toChoice(options.features),
          rates: toChoice(options.rates),
          identity: toChoice(options.identity && toRulesPath(options.identity)),
          lifecycle: toChoice(options.lifecycle),
          model: toChoice(options.model),
          segments: toChoice(options.segments),
          policy: toChoice(options.policy),
        }),
      },
      onProgress: progress.report,
    });
  } finally {
    progress.done();
  }
}

/** A path from where the command was called; null for `default`, which takes an earlier choice back. */
function toChoice(given: string | undefined): string | null | undefined {
  if (given === undefined) return undefined;
  return given === 'default' ? null : resolve(given);
}

/** Throws a MachineError naming what the machine lacks, with the remedy, before anything is started. */
export async function requireMachine(): Promise<void> {
  const missing = (await checkMachine(toLayout())).filter(({ ok }) => !ok);
  if (missing.length > 0) throw new MachineError(missing);
}

/** Endpoints of stack and services; passwords only on request. */
export function toAnswer(
  {
    namespace,
    endpoints,
    urls,
    partitions,
    started,
  }: Pick<Platform, 'namespace' | 'endpoints' | 'urls' | 'partitions' | 'started'>,
  options: { secrets?: boolean },
) {
  return { namespace, partitions, ...toShown(endpoints, options), services: urls, started };
}

function formatSummary({ namespace, endpoints, urls, started }: Platform): Printable {
  return lines(
    started.length === 0
      ? `namespace ${namespace} is up already`
      : `namespace ${namespace} is up; started ${started.join(', ')}`,
    toTable([['  kafka', endpoints.kafkaBrokers], ...SERVICE_NAMES.map((service) => [`  ${service}`, urls[service]])]),
    'next: ./perennial sources create --name my-app, ./perennial status',
  );
}

function withoutUndefined<K extends string, V>(record: Partial<Record<K, V | undefined>>): Partial<Record<K, V>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Partial<Record<K, V>>;
}
