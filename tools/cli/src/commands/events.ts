import { userInfo } from 'node:os';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine } from '../output.js';
import { requirePlatform } from './sources.js';

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'runCommand'>;

interface Options {
  readonly namespace: string;
  readonly by: string;
  readonly reason: string;
  readonly early?: boolean;
  readonly json?: boolean;
}

interface Answer {
  readonly profileKey: string;
  readonly messageId: string;
  readonly result: 'taken_back' | 'repeated' | 'early' | 'not_counted';
  readonly event: { readonly type: string; readonly name: string; readonly at: string } | null;
  readonly inexact: readonly string[];
}

const RESULTS: Readonly<Record<Answer['result'], string>> = {
  taken_back: 'was taken back',
  repeated: 'had been taken back before',
  early: 'has not come, and will not count when it comes',
  not_counted: 'had added nothing: it is a repeat, or a dead letter',
};

/** Tests replace `findPlatform`. */
export function createEventsCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('events').addCommand(createRetractCommand(findPlatform));
}

function createRetractCommand(findPlatform: FindPlatform): Command {
  return new Command('retract')
    .description('take back one event by its message id: what it had added to features, once')
    .argument('<profile>', 'a user id, or anonymous:ID for the one of a device')
    .argument('<message-id>', 'of the event; of a joined profile that of any of its ids')
    .option('--reason <text>', 'why, for the log', '')
    .option('--by <name>', 'who asks, for the log', userInfo().username)
    .option('--early', 'an event that has not come is not to count when it comes; without this it must be there')
    .addOption(createNamespaceOption())
    .option('--json', 'print {profileKey, messageId, result, event, inexact}')
    .addHelpText(
      'after',
      `
Features whose aggregates do not show what the event had changed (a least or a first value, a count of days) keep it until their
windows have passed it: they are named, here and as "inexact" wherever features are read.

Example:
  ./perennial events retract anna 5f1c0d9e-41c2-4c0e --reason "ticket 4711"`,
    )
    .action(async (profile: string, messageId: string, { namespace, by, reason, early, json }: Options) => {
      const said = [`--by=${by}`, `--reason=${reason}`, ...(early ? ['--early'] : [])];
      const args = ['events', 'retract', ...said, '--', profile, messageId];
      const output = await findPlatform(namespace).runCommand('feature-store', args);
      const answer = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Answer;
      if (json) return printJson(answer);
      return printLine(format(answer));
    });
}

function format({ messageId, result, event, inexact }: Answer): Printable {
  const named = event === null ? messageId : `${messageId} (${event.name || event.type}, ${event.at})`;
  const said = line`${named} ${RESULTS[result]}`;
  if (inexact.length === 0) return said;
  return lines(said, line`features that still have an event that was taken back: ${inexact.join(', ')}`);
}
