import { AppError } from '@perennial/kernel';
import { attachPlatform, type Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, printJsonLine, printLine, printText } from '../output.js';
import { createSourcePlanCommand } from './source-plans.js';

interface SourcesOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

interface CreateOptions {
  readonly name: string;
  readonly rate?: string | undefined;
  readonly currency?: string | undefined;
  /** It may report for anybody. */
  readonly reports?: boolean | undefined;
}

interface UpdateOptions {
  readonly rate?: string | undefined;
  readonly reports?: boolean | undefined;
}

export function createSourcesCommand(): Command {
  return new Command('sources')
    .addCommand(createCreateCommand())
    .addCommand(createListCommand())
    .addCommand(createUpdateCommand())
    .addCommand(createRevokeCommand())
    .addCommand(createSourcePlanCommand(requirePlatform));
}

function createCreateCommand(): Command {
  return new Command('create')
    .description('make a source and print its write key, once: only its hash is kept')
    .requiredOption('--name <name>', 'what the source is called')
    .option('--rate <n>', 'events per second that each instance of ingest takes from it, or unlimited (default: 1000)')
    .addOption(createNamespaceOption())
    .option('--currency <code>', "currency of its events that say none, such as EUR (default: the namespace's)")
    .option('--reports', 'it may report outcomes and contacts, and grant consent, for anybody: keep its key on servers')
    .option('--json', 'print {sourceId, name, writeKey}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial sources create --name web\n  ./perennial sources create --name shop-jp --currency JPY\n  ./perennial sources create --name mailer --reports\n  WRITE_KEY=$(./perennial sources create --name web --json | jq -r .writeKey)',
    )
    .action(async ({ name, namespace, json, ...settings }: SourcesOptions & CreateOptions) => {
      const source = await createSource(requirePlatform(namespace), name, settings);
      if (json) return printJsonLine(source);
      printLine(line`source ${source.name} (${source.sourceId})`);
      return printLine(line`write key, shown only now: ${source.writeKey}`);
    });
}

function createListCommand(): Command {
  return new Command('list')
    .description('list the sources of a namespace with their rates and whether they may report, without their keys')
    .addOption(createNamespaceOption())
    .option('--json', 'print them as JSON')
    .action(async ({ namespace, json }: SourcesOptions) => {
      const output = await requirePlatform(namespace).runCommand('ingest', [
        'sources',
        'list',
        ...(json ? ['--json'] : []),
      ]);
      printText(output.trimEnd());
    });
}

function createUpdateCommand(): Command {
  return new Command('update')
    .description('change the rate of a source, or whether it may report; running instances follow within ten seconds')
    .argument('<name>', 'its name or id')
    .option('--rate <n>', 'events per second that each instance of ingest takes from it, or unlimited')
    .option('--reports', 'it may report outcomes and contacts, and grant consent, for anybody')
    .option('--no-reports', 'it may not')
    .addOption(createNamespaceOption())
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  ./perennial sources update web --rate 5000\n  ./perennial sources update mailer --reports',
    )
    .action(async (name: string, { namespace, json, rate, reports }: SourcesOptions & UpdateOptions) => {
      const settings = [
        ...(rate === undefined ? [] : ['--rate', rate]),
        ...(reports === undefined ? [] : [reports ? '--reports' : '--no-reports']),
      ];
      const args = ['sources', 'update', '--name', name, ...settings, ...(json ? ['--json'] : [])];
      printText((await requirePlatform(namespace).runCommand('ingest', args)).trimEnd());
    });
}

function createRevokeCommand(): Command {
  return new Command('revoke')
    .description('end the write key of a source; running instances follow within ten seconds')
    .argument('<name>', 'its name or id')
    .addOption(createNamespaceOption())
    .option('--json', 'print it as JSON')
    .action(async (name: string, { namespace, json }: SourcesOptions) => {
      const args = ['sources', 'revoke', '--name', name, ...(json ? ['--json'] : [])];
      printText((await requirePlatform(namespace).runCommand('ingest', args)).trimEnd());
    });
}

export interface CreatedSource {
  readonly sourceId: string;
  readonly name: string;
  readonly writeKey: string;
}

/** Creates a source in a namespace. Throws when the answer of ingest's command has no write key. */
export async function createSource(
  platform: Platform,
  name: string,
  { rate, currency, reports }: Partial<Omit<CreateOptions, 'name'>> = {},
): Promise<CreatedSource> {
  const settings = [
    ...(rate === undefined ? [] : ['--rate', rate]),
    ...(currency === undefined ? [] : ['--currency', currency]),
    ...(reports ? ['--reports'] : []),
  ];
  const output = await platform.runCommand('ingest', ['sources', 'create', '--name', name, ...settings, '--json']);
  const answer = output.trim().split('\n').at(-1) ?? '';
  const source = JSON.parse(answer) as Partial<CreatedSource>;
  if (typeof source.writeKey !== 'string' || typeof source.sourceId !== 'string') {
    throw new AppError('contract_violation', `ingest answered no write key: ${answer}`);
  }
  return { sourceId: source.sourceId, name: source.name ?? name, writeKey: source.writeKey };
}

/** The running platform of a namespace. Throws `not_found` with the command that starts it. */
export function requirePlatform(namespace: string): Platform {
  const platform = attachPlatform({ namespace });
  if (platform !== undefined) return platform;
  const flag = namespace === 'live' ? '' : ` --namespace ${namespace}`;
  throw new AppError('not_found', `namespace ${namespace} is not up: run \`./perennial up${flag}\` first`);
}
