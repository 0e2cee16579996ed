import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printLine } from '../output.js';
import { requirePlatform } from './sources.js';

interface PlaceholdersOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

const CHANGES = [
  ['add', 'treat an id as a placeholder: it is never a person'],
  ['allow', 'treat an id as a real one, though it is a built-in placeholder'],
  ['reset', 'take back what add or allow said of an id'],
] as const;

export function createPlaceholdersCommand(): Command {
  const command = new Command('placeholders').addCommand(
    withOptions(
      new Command('list').description('list what was added to the built-in placeholder ids, and allowed'),
    ).action((options: PlaceholdersOptions) => run(options, ['list'])),
  );
  for (const [action, description] of CHANGES) {
    command.addCommand(
      withOptions(new Command(action).description(`${description}; running instances follow within ten seconds`))
        .argument('<id>', 'the id; case and white space around it do not matter')
        .addHelpText('after', `\nExample:\n  ./perennial placeholders ${action} "shop guest"`)
        .action((id: string, options: PlaceholdersOptions) => run(options, [action, '--', id])),
    );
  }
  return command;
}

function withOptions(command: Command): Command {
  return command.addOption(createNamespaceOption()).option('--json', 'print JSON');
}

async function run({ namespace, json }: PlaceholdersOptions, args: readonly string[]): Promise<void> {
  const command = ['placeholders', ...(json ? ['--json'] : []), ...args];
  printLine((await requirePlatform(namespace).runCommand('ingest', command)).trimEnd());
}
