import type { ApiClient } from '@perennial/client';
import { isAppError } from '@perennial/kernel';
import { STEP_NAMES } from '@perennial/policy';
import { type Explanation, explainUser } from '../policy/explain-user.js';

/** Users explained for the page: who would get something, and one who would not. */
export interface Explained {
  /** Of different strategies where possible. */
  readonly decided: readonly Asked[];
  /** The one whom the latest step of a decision kept from an action: that says more than a condition. */
  readonly whyNot: Asked | undefined;
}

interface Asked {
  /** Asked as if the user had entered the stage just now. */
  readonly entered: boolean;
  readonly explanation: Explanation;
}

type Client = Pick<ApiClient, 'call'>;

const DECIDED_MAX = 3;
const USERS_MAX = 24;
const AT_ONCE = 8;
/** Any text may be looked up in it. */
const STEPS: readonly string[] = STEP_NAMES;

/**
 * Asks of each user what would be done now; where that gives fewer than three actions, also as if the users had entered their
 * stages just now. Users without a stage are passed over.
 */
export async function findExplained(client: Client, users: readonly string[]): Promise<Explained> {
  const asked = await askAll(client, users.slice(0, USERS_MAX), false);
  const isActing = ({ explanation }: Asked) => explanation.action !== null;
  const acting = asked.filter(isActing);
  if (acting.length < DECIDED_MAX) {
    acting.push(...(await askAll(client, users.slice(0, USERS_MAX), true)).filter(isActing));
  }
  const whyNot = asked
    .filter((one) => !isActing(one))
    .sort((a, b) => toRank(b) - toRank(a))
    .at(0);
  return { decided: chooseDecided(acting), whyNot };
}

async function askAll(client: Client, users: readonly string[], entered: boolean): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (let start = 0; start < users.length; start += AT_ONCE) {
    const batch = users.slice(start, start + AT_ONCE).map((user) => ask(client, user, entered));
    asked.push(...(await Promise.all(batch)).filter((one) => one !== undefined));
  }
  return asked;
}

async function ask(client: Client, user: string, entered: boolean): Promise<Asked | undefined> {
  try {
    return { entered, explanation: await explainUser(client, user, entered) };
  } catch (error) {
    if (isAppError(error, 'not_found')) return undefined;
    throw error;
  }
}

/** The first of each strategy, then others; nobody twice. */
function chooseDecided(acting: readonly Asked[]): readonly Asked[] {
  const byUser = new Map<string, Asked>();
  for (const one of acting) {
    if (!byUser.has(one.explanation.userId)) byUser.set(one.explanation.userId, one);
  }
  const firsts = new Map<string, Asked>();
  for (const one of byUser.values()) {
    const strategy = one.explanation.action?.strategy ?? '';
    if (!firsts.has(strategy)) firsts.set(strategy, one);
  }
  return [...new Set([...firsts.values(), ...byUser.values()])].slice(0, DECIDED_MAX);
}

function toRank({ explanation }: Asked): number {
  return STEPS.indexOf(explanation.nothing?.step ?? '');
}
