import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printLine, printText } from '../output.js';
import { requirePlatform } from './sources.js';

interface TokensOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

export function createTokensCommand(): Command {
  return new Command('tokens')
    .addCommand(createCreateCommand())
    .addCommand(createListCommand())
    .addCommand(createRevokeCommand())
    .addCommand(createLocalCommand());
}

function createCreateCommand(): Command {
  return new Command('create')
    .description('make a token and print it, once: only its hash is kept')
    .requiredOption('--name <name>', 'who or what uses it')
    .requiredOption(
      '--scopes <list>',
      'what it opens: read (look at profiles and status), write (change tags), operate (move the clock, take events back); none implies another; rollouts are commands of the services, which need no token',
    )
    .option('--days <n>', 'end it after so many days (default: never)')
    .addOption(createNamespaceOption())
    .option('--json', 'print {id, name, scopes, token, ...}')
    .addHelpText(
      'after',
      `
Examples:
  ./perennial tokens create --name dashboard --scopes read --days 90
  TOKEN=$(./perennial tokens create --name ci --scopes read,operate --json | jq -r .token)
  curl -H "authorization: Bearer $TOKEN" http://127.0.0.1:18081/v1/features/ada`,
    )
    .action(
      async ({ name, scopes, days, ...options }: TokensOptions & { name: string; scopes: string; days?: string }) => {
        const expiry = days === undefined ? [] : ['--days', days];
        await run(options, ['create', '--name', name, '--scopes', scopes, ...expiry]);
      },
    );
}

function createListCommand(): Command {
  return new Command('list')
    .description('list the tokens of a namespace, without their secrets')
    .addOption(createNamespaceOption())
    .option('--json', 'print them as JSON')
    .action((options: TokensOptions) => run(options, ['list']));
}

function createRevokeCommand(): Command {
  return new Command('revoke')
    .description('end a token, by its name or id; services that remember it reject it within ten seconds')
    .argument('<name>', 'its name or id')
    .addOption(createNamespaceOption())
    .option('--json', 'print it as JSON')
    .action((name: string, options: TokensOptions) => run(options, ['revoke', '--name', name]));
}

function createLocalCommand(): Command {
  return new Command('local')
    .description('print the token that this installation made for itself, with every scope')
    .option('--renew', 'make another instead; the one before ends')
    .addOption(createNamespaceOption())
    .addHelpText(
      'after',
      '\nExample:\n  curl -H "authorization: Bearer $(./perennial tokens local)" http://127.0.0.1:18082/v1/stages',
    )
    .action(async ({ namespace, renew }: TokensOptions & { renew?: boolean }) => {
      const platform = requirePlatform(namespace);
      printLine(renew ? await platform.renewToken() : platform.token);
    });
}

async function run({ namespace, json }: TokensOptions, args: readonly string[]): Promise<void> {
  const output = await requirePlatform(namespace).runCommand('ingest', [
    'tokens',
    ...args,
    ...(json ? ['--json'] : []),
  ]);
  printText(output.trimEnd());
}
