import { describe, expect, it } from '@jest/globals';
import { createPseudonymizer } from '@perennial/privacy';
import { parseRetraction } from './retract-command.js';

const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');
const parse = (...args: string[]) => parseRetraction(args, pseudonymizer);

describe('events retract', () => {
  it('takes a user, or a device', () => {
    const user = parse('retract', '--by=olga', '--reason=ticket', '--', 'anna', '-m1');
    const key = pseudonymizer.toProfileKey({ userId: 'anna' });
    expect(user).toMatchObject({ profile: { key }, messageId: '-m1', by: 'olga', reason: 'ticket', early: false });
    const device = parse('retract', '--by=olga', '--early', '--', 'anonymous:phone', 'm1');
    expect(device).toMatchObject({
      profile: { key: pseudonymizer.toProfileKey({ anonymousId: 'phone' }) },
      early: true,
    });
  });

  it('says all that is wrong at once, or how it is used', () => {
    expect(() => parse('retract', `--reason=${'x'.repeat(501)}`, '--', 'anna', ' ')).toThrow(
      'the message id is empty\n--by is missing: who asks for it\n--reason has more than 500 characters',
    );
    for (const wrong of [['retract', 'anna'], ['forget', 'anna', 'm'], ['retract', 'a', 'b', 'c'], ['--what']]) {
      expect(() => parse(...wrong)).toThrow('usage: events retract PROFILE MESSAGE_ID --by NAME');
    }
  });
});
