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
    .option('--json', 'print {sourceId, name, writeKey}')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial sources create --name web\n  ./perennial sources create --name shop-jp --currency JPY\n  WRITE_KEY=$(./perennial sources create --name web --json | jq -r .writeKey)',
    )
    .action(async ({ name, namespace, rate, currency, json }: SourcesOptions & CreateOptions) => {
      const source = await createSource(requirePlatform(namespace), name, { rate, currency });
      if (json) return printJsonLine(source);
      printLine(line`source ${source.name} (${source.sourceId})`);
      return printLine(line`write key, shown only now: ${source.writeKey}`);
    });
}

function createListCommand(): Command {
  return new Command('list')
    .description('list the sources of a namespace with their rates, without their keys')
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
    .description('change the rate of a source; running instances follow within ten seconds')
    .argument('<name>', 'its name or id')
    .requiredOption('--rate <n>', 'events per second that each instance of ingest takes from it, or unlimited')
    .addOption(createNamespaceOption())
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  ./perennial sources update web --rate 5000')
    .action(async (name: string, { namespace, rate, json }: SourcesOptions & { rate: string }) => {
      const args = ['sources', 'update', '--name', name, '--rate', rate, ...(json ? ['--json'] : [])];
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
  { rate, currency }: Partial<Omit<CreateOptions, 'name'>> = {},
): Promise<CreatedSource> {
  const settings = [
    ...(rate === undefined ? [] : ['--rate', rate]),
    ...(currency === undefined ? [] : ['--currency', currency]),
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
