import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printText } from '../output.js';
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

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

/** Tests replace `findPlatform`. */
export function createPlaceholdersCommand(findPlatform: FindPlatform = requirePlatform): Command {
  const command = new Command('placeholders').addCommand(
    withOptions(
      new Command('list').description('list what was added to the built-in placeholder ids, and allowed'),
    ).action((options: PlaceholdersOptions) => run(findPlatform, options, ['list'])),
  );
  for (const [action, description] of CHANGES) {
    command.addCommand(
      withOptions(new Command(action).description(`${description}; running instances follow within ten seconds`))
        .argument('<id>', 'the id; case and white space around it do not matter')
        .addHelpText('after', `\nExample:\n  ./perennial placeholders ${action} "shop guest"`)
        .action((id: string, options: PlaceholdersOptions) => run(findPlatform, options, [action, '--', id])),
    );
  }
  return command;
}

function withOptions(command: Command): Command {
  return command.addOption(createNamespaceOption()).option('--json', 'print JSON');
}

async function run(
  findPlatform: FindPlatform,
  { namespace, json }: PlaceholdersOptions,
  args: readonly string[],
): Promise<void> {
  const command = ['placeholders', ...(json ? ['--json'] : []), ...args];
  // A list has a line for each id; ids are JSON in it, so that its line breaks are the service's.
  printText((await findPlatform(namespace).runCommand('ingest', command)).trimEnd());
}
