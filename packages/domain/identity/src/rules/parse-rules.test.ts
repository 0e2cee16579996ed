import { describe, expect, it } from '@jest/globals';
import { findMovedKind, INITIAL_RULES } from './identity-rules.js';
import { parseIdentityRules, requireIdentityRules } from './parse-rules.js';

const FILE = { fileName: 'identity.yaml' };
const read = (kinds: string) => requireIdentityRules(`version: 1\nkinds:\n${kinds}`, FILE);

function problemsOf(content: string): string[] {
  const parsed = parseIdentityRules(content, FILE);
  if (parsed.ok) return [];
  return parsed.problems.map(
    ({ line, column, message, suggestion }) => `${line}:${column} ${message}${suggestion ? ` -> ${suggestion}` : ''}`,
  );
}

const EMAIL = '  email: { strength: 200, read: [traits.email], normalise: email }\n';

describe('rules about ids', () => {
  it('are those of users and devices where a file says nothing else', () => {
    const rules = read('  user: { strength: 240, read: [userId], unique: true }\n  anonymous: { strength: 16 }\n');
    expect(rules.kinds).toEqual(INITIAL_RULES.kinds);
  });

  it('have the strongest kind first, whatever the order of the file', () => {
    const rules = read(`  device: { strength: 60, read: [context.device.id] }\n${EMAIL}`);
    expect(rules.kinds.map(({ name }) => name)).toEqual(['user', 'email', 'device', 'anonymous']);
    expect(rules.kindOf(200)).toMatchObject({ name: 'email', unique: false, maxProfiles: 128 });
    expect(rules.kindOf(201)).toBeUndefined();
  });

  it('have all problems of a file reported at once, each with its place and the nearest word', () => {
    const problems = problemsOf(`version: 1
kinds:
  email: { strenght: 200, read: [traits.email] }
  phone: { strength: 180, read: traits.phone, normalise: phonr }
  Openid: { strength: 70, read: [traits.openid], maxProfiles: 0 }
`);
    expect(problems).toEqual([
      '3:12 unknown key "strenght" -> strength',
      '4:33 a list is needed here',
      '4:58 "phonr" is not one of none, lower, email, phone -> phone',
      '5:3 "Openid" is not a name: a small letter, then small letters, digits and _, 32 at most',
      '5:63 a whole number from 1 to 128 is needed here',
    ]);
  });

  it('have what does not fit together reported, all at once', () => {
    const problems = problemsOf(`version: 1
kinds:
  user: { strength: 200, hash: sha256, guarded: [root] }
  email: { strength: 180, read: [trait.email, traits.], guarded: [none], normalise: email }
  phone: { strength: 180, read: [traits.phone], callingCode: "86" }
  backup: { strength: 250, read: [traits.phone] }
  device: {}
`);
    expect(problems).toEqual([
      '3:21 the strength of user is 240, for good',
      '3:32 ids of user are taken as they come',
      '3:50 placeholders of user are set with `./perennial placeholders add`',
      '4:34 a path begins with traits, context, properties, and "trait.email" does not -> traits',
      '4:47 "traits." is no path such as traits.email or context.externalIds[email]',
      '4:67 "none" is no email, so it needs no guard',
      '5:10 phone and email have the same strength 180: which one is stronger?',
      '5:62 a calling code is of numbers with `normalise: phone`',
      '6:23 the strength is between 16 (anonymous) and 240 (user)',
      '6:35 traits.phone is read as phone already',
      '7:11 device needs a strength, between those of anonymous and user',
      '7:11 device needs a list "read": where events name it',
    ]);
  });

  it('cannot move a kind to another strength, nor give a strength to another kind', () => {
    const before = read(EMAIL);
    expect(findMovedKind(read(`${EMAIL}  phone: { strength: 90, read: [traits.phone] }\n`), before)).toBeUndefined();
    expect(findMovedKind(INITIAL_RULES, before)).toBeUndefined();
    expect(findMovedKind(read('  email: { strength: 100, read: [traits.email] }\n'), before)).toContain(
      'the kind email has the strength 100, and 200 in rules before these',
    );
    expect(findMovedKind(read('  mail: { strength: 200, read: [traits.email] }\n'), before)).toContain(
      'which is that of email in rules before these',
    );
  });
});
