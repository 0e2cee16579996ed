import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { printJson, printLine } from '../output.js';
import { explainUser, formatExplanation } from '../policy/explain-user.js';
import { requirePlatform } from './sources.js';

interface Options {
  readonly namespace: string;
  readonly entered?: boolean;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createExplainCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('explain')
    .description(
      'what the policy in force would do for a user now, step by step, and why nothing else; changes nothing',
    )
    .argument('<id>', "the user's id, as events name it")
    .option('--entered', 'as if the user had entered the stage just now')
    .addOption(createNamespaceOption())
    .option('--json', 'print {userId, policyVersion, at, result, action, nothing, steps: [{step, dropped}]}')
    .addHelpText('after', '\nExamples:\n  ./perennial explain user-42\n  ./perennial explain user-42 --entered --json')
    .action(async (id: string, { namespace, entered, json }: Options) => {
      const explanation = await explainUser(findPlatform(namespace).client, id, entered === true);
      if (json) printJson(explanation);
      else printLine(formatExplanation(explanation));
    });
}
