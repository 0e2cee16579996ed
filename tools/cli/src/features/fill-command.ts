import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { requirePlatform } from '../commands/sources.js';
import { createNamespaceOption } from '../options.js';
import { printLine, printText } from '../output.js';

interface FillOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

/** No spec has this hash: with it nothing is to be filled. */
const NO_HASH = '0'.repeat(64);

/** `features fill`; tests replace `findPlatform`. */
export function createFillCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('fill')
    .description('how the features that a wider spec adds are filled from the archive')
    .addCommand(
      new Command('status')
        .description('show how far the fill of the feature spec in force is, by partition')
        .addOption(createNamespaceOption())
        .option('--json', 'print {state, number, hash, begunAt, partitions: [{partition, state, next, profiles}]}')
        .addHelpText('after', '\nExample:\n  ./perennial features fill status')
        .action(async ({ namespace, json }: FillOptions) => {
          const args = ['fill', 'status', ...(json ? ['--json'] : [])];
          printText((await findPlatform(namespace).runCommand('feature-store', args)).trimEnd());
        }),
    )
    .addCommand(
      new Command('stop')
        .description('give the fill up: what the spec adds begins empty for every profile, for good')
        .addOption(createNamespaceOption())
        .addHelpText('after', '\nExample:\n  ./perennial features fill stop')
        .action(async ({ namespace }: FillOptions) => {
          const platform = findPlatform(namespace);
          const output = await platform.runCommand('feature-store', ['fill', 'status', '--json']);
          const { state, number } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as {
            state: string;
            number: number;
          };
          if (state !== 'filling') return printLine('no fill is running: nothing was changed');
          const args = ['rollout', '--kind', 'feature-filling', '--number', String(number), '--hash', NO_HASH];
          await platform.runCommand('ingest', args);
          return printLine(`the fill of features ${number} is given up`);
        }),
    );
}
