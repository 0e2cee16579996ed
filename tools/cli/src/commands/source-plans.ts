import { basename, resolve } from 'node:path';
import type { Platform } from '@perennial/launcher';
import { requireTrackingPlan } from '@perennial/tracking-plan';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, printJson, printLine, printText } from '../output.js';
import { readText } from '../read-text.js';

interface PlanOptions {
  readonly namespace: string;
  readonly json?: boolean;
  readonly number?: string;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

const SOURCE = ['<source>', 'its name or id; kafka for what comes over Kafka'] as const;

/** `sources plan`: which events a source may send, and what of them is personal. */
export function createSourcePlanCommand(findPlatform: FindPlatform): Command {
  const run = async ({ namespace, json }: PlanOptions, args: readonly string[]): Promise<void> => {
    const command = ['sources', 'plan', ...(json ? ['--json'] : []), ...args];
    printText((await findPlatform(namespace).runCommand('ingest', command)).trimEnd());
  };
  return new Command('plan')
    .description('which events a source may send, and what of them is personal')
    .addCommand(createCheckCommand())
    .addCommand(
      withOptions('set', 'put a plan in force for a source; running instances follow within ten seconds')
        .argument(...SOURCE)
        .argument('<file>', 'the plan, YAML')
        .addHelpText('after', '\nExample:\n  ./perennial sources plan set web plan.yaml')
        .action((source: string, file: string, options: PlanOptions) => {
          checkPlan(file);
          return run(options, ['set', '--', source, resolve(file)]);
        }),
    )
    .addCommand(
      withOptions('show', 'print the plan of a source, or a version that it had before')
        .argument(...SOURCE)
        .option('--number <n>', 'a version, as `history` lists it (default: the one in force)')
        .addHelpText('after', '\nExample:\n  ./perennial sources plan show web --number 2 > plan.yaml')
        .action((source: string, options: PlanOptions) => {
          const { number } = options;
          return run(options, ['show', ...(number === undefined ? [] : [`--number=${number}`]), '--', source]);
        }),
    )
    .addCommand(
      withOptions('history', 'list the plans that a source has had, the newest first')
        .argument(...SOURCE)
        .action((source: string, options: PlanOptions) => run(options, ['history', '--', source])),
    )
    .addCommand(
      withOptions('clear', 'end the plan of a source; its versions stay in the history')
        .argument(...SOURCE)
        .action((source: string, options: PlanOptions) => run(options, ['clear', '--', source])),
    );
}

function createCheckCommand(): Command {
  return new Command('check')
    .description('read a plan as ingest would, and list all problems at once; starts nothing')
    .argument('<file>', 'the plan, YAML')
    .option('--json', 'print {valid}')
    .addHelpText('after', '\nExample:\n  ./perennial sources plan check plan.yaml')
    .action((file: string, { json }: { json?: boolean }) => {
      checkPlan(file);
      if (json) printJson({ valid: true });
      else printLine(line`${file} is a valid plan`);
    });
}

function withOptions(name: string, description: string): Command {
  return new Command(name).description(description).addOption(createNamespaceOption()).option('--json', 'print JSON');
}

/** Throws `config_invalid` with every problem and its line. */
function checkPlan(file: string): void {
  requireTrackingPlan(readText(file), { fileName: basename(file) });
}
