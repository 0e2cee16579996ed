import { userInfo } from 'node:os';
import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, printText, toTable } from '../output.js';
import { createCheckRulesCommand, createShowRulesCommand } from './identity-rules.js';
import { requirePlatform } from './sources.js';

interface Options {
  readonly namespace: string;
  readonly anonymous?: boolean;
  readonly kind?: string;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client' | 'runCommand'>;

/** Tests replace `findPlatform`. */
export function createIdentityCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('identity')
    .addCommand(createShowCommand(findPlatform))
    .addCommand(createMergeCommand(findPlatform))
    .addCommand(createUnmergeCommand(findPlatform))
    .addCommand(createLogCommand(findPlatform))
    .addCommand(createCheckRulesCommand())
    .addCommand(createShowRulesCommand());
}

interface ChangeOptions {
  readonly namespace: string;
  readonly by: string;
  readonly reason?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** What an unmerge would do. */
interface Checked {
  readonly weaker: string;
  readonly stronger: string;
  /** Of the newest unmerge of the pair, where that has failed. */
  readonly failure?: { readonly number: number; readonly reason: string };
}

const ID = 'a user id, anonymous:ID for the one of a device, or KIND:ID of a kind in force';

function createMergeCommand(findPlatform: FindPlatform): Command {
  return withChangeOptions(new Command('merge'))
    .description('join the profiles of two ids, whatever kept them apart')
    .addHelpText('after', '\nExample:\n  ./perennial identity merge anna anonymous:5f1c0d9e --reason "ticket 4711"')
    .action((a: string, b: string, options: ChangeOptions) => change(findPlatform, 'merge', { a, b, options }));
}

function createUnmergeCommand(findPlatform: FindPlatform): Command {
  return withChangeOptions(new Command('unmerge'))
    .description('part the profile of one id from that of another one: both are rebuilt from the archive')
    .option('--yes', 'do it; without this it is only said what would be done')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial identity unmerge anna bert --yes --reason "two people, one device"\n  ./perennial identity unmerge anna email:shop@example.com --yes',
    )
    .action(async (a: string, b: string, options: ChangeOptions) => {
      if (options.yes) return change(findPlatform, 'unmerge', { a, b, options });
      const args = ['identities', 'unmerge', '--check', '--json', '--', a, b];
      const output = await findPlatform(options.namespace).runCommand('feature-store', args);
      const { weaker, stronger, failure } = JSON.parse(lastLine(output)) as Checked;
      if (options.json) return printJson({ number: null, weaker, stronger, ...(failure && { failure }) });
      if (failure !== undefined) printLine(line`change ${failure.number}, the same, failed: ${failure.reason}`);
      return printLine(line`${weaker} would leave ${stronger}: nothing was changed; say --yes to part them`);
    });
}

function createLogCommand(findPlatform: FindPlatform): Command {
  return new Command('log')
    .description('list the merges and unmerges by hand: number, when, what, state, ids, who and why; the newest 200')
    .addOption(createNamespaceOption())
    .option(
      '--json',
      'print {changes: [{number, kind, state, attempt, weaker, stronger, by, reason, askedAt, stateAt, failure?}]}',
    )
    .addHelpText('after', '\nExample:\n  ./perennial identity log')
    .action(async ({ namespace, json }: Pick<ChangeOptions, 'namespace' | 'json'>) => {
      const args = ['identities', 'log', ...(json ? ['--json'] : [])];
      printText((await findPlatform(namespace).runCommand('feature-store', args)).trimEnd());
    });
}

function withChangeOptions(command: Command): Command {
  return command
    .argument('<a>', ID)
    .argument('<b>', ID)
    .option('--reason <text>', 'why, for the log')
    .option('--by <name>', 'who asks, for the log', userInfo().username)
    .addOption(createNamespaceOption())
    .option('--json', 'print {number, kind, weaker, stronger}, and {failure} of the same unmerge before');
}

async function change(
  findPlatform: FindPlatform,
  kind: 'merge' | 'unmerge',
  { a, b, options }: { readonly a: string; readonly b: string; readonly options: ChangeOptions },
): Promise<void> {
  const { namespace, by, reason = '', json } = options;
  const said = [`--by=${by}`, `--reason=${reason}`, ...(json ? ['--json'] : [])];
  const output = await findPlatform(namespace).runCommand('feature-store', ['identities', kind, ...said, '--', a, b]);
  printText(output.trimEnd());
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}

function createShowCommand(findPlatform: FindPlatform): Command {
  return new Command('show')
    .description('show whom an id belongs to, since when, and which other ids do')
    .argument('<id>', 'a user id, or an id of the kind given')
    .option('--anonymous', 'it is an anonymous id, of a device')
    .option('--kind <kind>', 'it is of this kind of the rules in force, such as email')
    .addOption(createNamespaceOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial identity show 5f1c0d9e --anonymous\n  ./perennial identity show anna@example.com --kind email',
    )
    .action(async (id: string, { namespace, anonymous, kind = anonymous ? 'anonymous' : 'user', json }: Options) => {
      const found = await findPlatform(namespace).client.call('getIdentity', { path: { id }, query: { kind } });
      if (json) return printJson(found);
      return printLine(describeIdentity(found));
    });
}

type Identity = Awaited<ReturnType<typeof callIdentity>>;
const callIdentity = (client: Platform['client']) => client.call('getIdentity', { path: { id: '' }, query: {} });

function describeIdentity(identity: Identity): Printable {
  const { id, kind, profileKey, known, joined, members, cutOff, namedBy, namedByMax } = identity;
  const facts = toTable([
    ['id', `${id} (${kind})`],
    ['profile', known ? profileKey : `${profileKey}, never seen`],
    ...joined.map((target) => [
      'joined',
      `${target.id ?? target.profileKey} (${target.kind}${target.id === null ? ', sealed' : ''}) since ${target.since}`,
    ]),
    ...members.map((member) => [
      'member',
      `${member.profileKey}${member.kind === null ? '' : ` (${member.kind})`} ${member.joined ? 'joined' : 'asked, without events or of another profile,'} ${member.at}`,
    ]),
  ]);
  const tooMany = namedByMax === null ? 0 : Math.max(0, namedBy - namedByMax);
  return lines(
    facts,
    ...(cutOff === 0 ? [] : [line`${cutOff} further ids were cut off: too many for one person`]),
    ...(tooMany === 0
      ? []
      : [line`${namedBy} profiles have named this id; ${tooMany} were cut off, since ${namedByMax ?? 0} may`]),
  );
}
