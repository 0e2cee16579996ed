import type { Platform } from '@perennial/launcher';
import { Command } from 'commander';
import { createNamespaceOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';
import { requirePlatform } from './sources.js';

interface Options {
  readonly namespace: string;
  readonly anonymous?: boolean;
  readonly json?: boolean;
}

/** Finds the running platform of a namespace; throws `not_found` where there is none. */
type FindPlatform = (namespace: string) => Pick<Platform, 'client'>;

/** Tests replace `findPlatform`. */
export function createIdentityCommand(findPlatform: FindPlatform = requirePlatform): Command {
  return new Command('identity').addCommand(createShowCommand(findPlatform));
}

function createShowCommand(findPlatform: FindPlatform): Command {
  return new Command('show')
    .description('show whom an id belongs to, since when, and which other ids do')
    .argument('<id>', 'a user id')
    .option('--anonymous', 'it is an anonymous id, of a device')
    .addOption(createNamespaceOption())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  ./perennial identity show 5f1c0d9e --anonymous')
    .action(async (id: string, { namespace, anonymous, json }: Options) => {
      const kind = anonymous ? 'anonymous' : 'user';
      const found = await findPlatform(namespace).client.call('getIdentity', { path: { id }, query: { kind } });
      if (json) return printJson(found);
      return printLine(describeIdentity(found));
    });
}

type Identity = Awaited<ReturnType<typeof callIdentity>>;
const callIdentity = (client: Platform['client']) => client.call('getIdentity', { path: { id: '' }, query: {} });

function describeIdentity({ id, kind, profileKey, known, joined, members, cutOff }: Identity): Printable {
  const facts = toTable([
    ['id', `${id} (${kind})`],
    ['profile', known ? profileKey : `${profileKey}, never seen`],
    ...joined.map((target) => ['joined', `${target.id} (${target.kind}) since ${target.since}`]),
    ...members.map((member) => [
      'member',
      `${member.profileKey} ${member.joined ? 'joined' : 'asked, without events or of another profile,'} ${member.at}`,
    ]),
  ]);
  return cutOff === 0 ? facts : lines(facts, line`${cutOff} further ids were cut off: too many for one person`);
}
