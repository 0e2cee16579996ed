import { describe, expect, it } from '@jest/globals';
import { ID_STRENGTHS, toParts } from '@perennial/identity';
import { toDevice, toEvent, toUser } from '../identity/join-test-kit.js';
import { runChangeCommand } from './change-command.js';
import { UnmergeWorld } from './unmerge-test-kit.js';

const anna = toUser('anna');
const bert = toUser('bert');
const phone = toDevice('phone');

/** The phone has joined bert, and bert has joined anna. */
async function toJoinedInTurn(): Promise<UnmergeWorld> {
  const world = new UnmergeWorld();
  world.send(bert.key, toEvent(bert, { claims: phone }));
  world.send(phone.key, toEvent(phone, { messageId: 'm2' }));
  await world.settle();
  world.send(anna.key, toEvent(anna, { messageId: 'm3', alias: bert }));
  await world.settle();
  return world;
}

/** The command over the states of a world. */
function createCommand(world: UnmergeWorld) {
  const printed: string[] = [];
  const run = (...args: string[]) =>
    runChangeCommand(args, {
      namespace: 'live',
      partitions: 3,
      readStates: world.readStates,
      loadIdentity: world.artifacts.identity,
      pseudonymizer: {
        toProfileKey: (named: { userId?: string; anonymousId?: string; kind?: string; id?: string }) =>
          named.userId !== undefined
            ? `user-${named.userId}`
            : named.kind === undefined
              ? `device-${named.anonymousId}`
              : `${named.kind}-${named.id}`,
        seal: (id: string) => Buffer.from(id),
        unseal: (sealed: Buffer) => sealed.toString(),
      } as never,
      producer: { send: () => Promise.reject(new Error('not sent')) },
      print: (line) => printed.push(line),
    });
  return { printed, run };
}

const rootOf = async (world: UnmergeWorld, { key }: typeof anna) => (await world.read(key)).key;

describe('an unmerge of profiles that another unmerge has parted already', () => {
  it('parts nobody from whom nobody asked to part it', async () => {
    const world = await toJoinedInTurn();
    world.change('unmerge', bert, anna);
    world.change('unmerge', phone, anna);
    await world.settle();
    expect(world.ledger.entries.map(({ state }) => state)).toEqual(['done', 'not_joined']);
    expect([await rootOf(world, phone), await rootOf(world, anna)]).toEqual([bert.key, anna.key]);
  });
});

describe('an unmerge that the archive cannot do', () => {
  it('fails with a reason and leaves all as it was, the next one goes on, and it can be asked again', async () => {
    const world = await toJoinedInTurn();
    const before = new Map([anna, bert, phone].map(({ key }) => [key, world.states.get(key)]));
    world.hasGap = true;
    world.change('unmerge', bert, anna);
    world.change('unmerge', phone, anna);
    while (await world.step());
    world.send(bert.key, toEvent(bert, { messageId: 'm4' }));
    while (await world.step());
    expect(toParts(world.stored(anna.key)).held).toHaveLength(0);
    await world.settle();
    expect(world.ledger.entries.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(world.ledger.entries[0]?.reason).toContain('the archive lacks offsets 0 to 0: copy the missing files back');
    for (const { key } of [bert, phone]) expect(world.states.get(key)).toEqual(before.get(key));
    const { node, held, profile } = toParts(world.stored(anna.key));
    expect({ node, held }).toEqual({
      node: toParts(world.definition.codec.decode(before.get(anna.key) as Buffer)).node,
    });
    expect(profile?.engine.messages.ids.halves).toHaveLength(8);

    world.hasGap = false;
    world.change('unmerge', bert, anna);
    await world.settle();
    expect(world.ledger.entries.at(-1)).toMatchObject({ state: 'done' });
    expect([await rootOf(world, phone), await rootOf(world, anna)]).toEqual([bert.key, anna.key]);
  });

  it('is reported by the log of changes, and when it is asked again', async () => {
    const world = await toJoinedInTurn();
    world.hasGap = true;
    world.change('unmerge', bert, anna);
    await world.settle();
    const { printed, run } = createCommand(world);
    await run('log');
    expect(printed).toEqual([expect.stringMatching(/unmerge {2}failed .*by a test {2}to see {2}\(.*lacks offsets/)]);
    await run('log', '--json');
    expect(JSON.parse(printed[1] ?? '')).toMatchObject({ changes: [{ state: 'failed', failure: expect.anything() }] });
    await run('unmerge', 'anna', 'bert', '--check', '--json');
    expect(JSON.parse(printed[2] ?? '')).toMatchObject({ weaker: 'bert', failure: { number: 1 } });
    expect(anna.strength).toBe(ID_STRENGTHS.user);
  });
});

describe('an unmerge of two devices that an e-mail has joined', () => {
  async function toDevices() {
    const world = new UnmergeWorld();
    const rules = 'version: 1\nkinds: { email: { strength: 200, read: [traits.email], normalise: email } }\n';
    world.rollOut('identity', world.put(Buffer.from(rules)));
    const email = { key: 'email-anna@example.com', strength: 200, subject: Buffer.from('anna@example.com') };
    const laptop = toDevice('laptop');
    for (const [index, self] of [phone, laptop].entries())
      world.send(self.key, toEvent(self, { messageId: `m${index}`, ties: [email] }));
    await world.settle();
    expect([await rootOf(world, phone), await rootOf(world, laptop)]).toEqual([email.key, email.key]);
    return world;
  }

  it('shows the key of the e-mail, never the address', async () => {
    const world = await toDevices();
    const asked = createCommand(world).run('unmerge', 'anonymous:phone', 'anonymous:laptop', '--by', 'olga');
    await expect(asked).rejects.toMatchObject({
      code: 'conflict',
      message:
        'anonymous:phone and anonymous:laptop both belong to the email with the profile key email-anna@example.com: part one of them from that one',
    });
  });

  it('takes the e-mail as its kind reads it, and says what is none', async () => {
    const { printed, run } = createCommand(await toDevices());
    await run('unmerge', 'email: Anna@Example.com ', 'anonymous:phone', '--check');
    expect(JSON.parse(printed[0] ?? '')).toEqual({
      number: null,
      kind: 'unmerge',
      weaker: 'anonymous:phone',
      stronger: 'the email with the profile key email-anna@example.com',
    });
    await expect(run('unmerge', 'email:anna', 'anonymous:phone', '--check')).rejects.toThrow('no id of the kind email');
    // No kind has this name: it is a user.
    await expect(run('unmerge', 'phone:+4930', 'anonymous:phone', '--check')).rejects.toThrow(
      'anonymous:phone and phone:+4930 are two profiles already',
    );
  });
});
