import { loadProfilePage } from '@perennial/client';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printJson, printLine } from '../output.js';
import { formatProfilePage } from '../profile/format-page.js';
import { requirePlatform } from './sources.js';

interface ProfileOptions {
  readonly namespace: string;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createProfileCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('profile').addCommand(
    new Command('show')
      .description('print all that is known of a user, from all services: who it is, why, and what happens next')
      .argument('<id>', "the user's id, as events name it")
      .addOption(createNamespaceOption())
      .option(
        '--json',
        'print {userId, known, tagChanges, identity, standing, transitions, segmentChanges, actions, contacts, problems}',
      )
      .addHelpText(
        'after',
        '\nExamples:\n  ./perennial profile show user-42\n  ./perennial profile show user-42 --json',
      )
      .action(async (id: string, { namespace, json }: ProfileOptions) => {
        const page = await loadProfilePage(findPlatform(namespace).client, id);
        if (json) printJson(page);
        else printLine(formatProfilePage(page));
      }),
  );
}
