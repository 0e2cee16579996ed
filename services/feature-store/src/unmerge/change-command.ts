import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { AcceptedRecord, encodeMessage, toPartition, toTopic } from '@perennial/contracts';
import {
  ID_STRENGTHS,
  type IdentityRules,
  isShown,
  isStronger,
  LEDGER_KEY,
  type LedgerEntry,
  type ProfileRef,
  toParts,
} from '@perennial/identity';
import type { LogProducer } from '@perennial/kafka';
import { AppError, type Clock, systemClock } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { Pseudonymizer } from '@perennial/privacy';
import type { FeatureArtifacts } from '../artifacts.js';
import { findAskingProblems, parseIdArg } from '../identity/change-args.js';
import { toKindName } from '../identity/external-ids.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { followPath } from './follow-path.js';

const USAGE =
  'usage: identities merge|unmerge A B --by NAME [--reason TEXT] [--check] [--json] | log [--json]; an id is a user id, anonymous:ID, or KIND:ID of a kind in force';

/** How long a change is waited for until it has its number, and how often it is looked for. */
const NUMBER_WAIT_MS = 30_000;
const NUMBER_POLL_MS = 100;

export interface ChangeCommandDeps {
  readonly namespace: string;
  readonly partitions: number;
  readonly readStates: ReadStates<StoredProfile>;
  readonly loadIdentity: FeatureArtifacts['identity'];
  readonly pseudonymizer: Pseudonymizer;
  readonly producer: Pick<LogProducer, 'send'>;
  readonly print: (line: string) => void;
  readonly clock?: Clock;
}

interface Deps extends ChangeCommandDeps {
  readonly rules: IdentityRules;
}

/** `identities merge|unmerge A B`, `identities log`: changes of identities by hand, each a record in `event.accepted`. */
export async function runChangeCommand(args: readonly string[], given: ChangeCommandDeps): Promise<void> {
  const { values, positionals } = parseChangeArgs(args);
  // Rules come into force partition by partition: any will do to read an id.
  const inForce = (await given.readStates([LEDGER_KEY]))[0]?.inForce;
  const rules = await given.loadIdentity(inForce?.get('identity'));
  const deps: Deps = { ...given, rules };
  const [action, a, b, ...more] = positionals;
  if (action === 'log' && a === undefined) return printLog(deps, values.json);
  const isChange = action === 'merge' || action === 'unmerge';
  if (!isChange || a === undefined || b === undefined || more.length > 0) throw usage(USAGE);
  const pair = [parseIdArg(a, deps.pseudonymizer, rules), parseIdArg(b, deps.pseudonymizer, rules)] as const;
  const [stronger, weaker] = isStronger(...pair) ? pair : [pair[1], pair[0]];
  await checkChange(action, { weaker, stronger }, deps);
  const named = { kind: action, weaker: describeRef(weaker, deps), stronger: describeRef(stronger, deps) };
  const failure = action === 'unmerge' ? await findFailure({ weaker, stronger }, deps) : undefined;
  if (values.check) return deps.print(JSON.stringify({ number: null, ...named, ...(failure && { failure }) }));
  const { by, reason } = parseReasons(values);
  const entry = await sendChange({ kind: action, weaker, stronger, by, reason }, deps);
  const text =
    action === 'merge'
      ? `change ${entry.number}: ${named.weaker} joins ${named.stronger}`
      : `change ${entry.number}: ${named.weaker} leaves ${named.stronger}; both stay joined until they are rebuilt from the archive`;
  if (values.json) return deps.print(JSON.stringify({ number: entry.number, ...named, ...(failure && { failure }) }));
  deps.print(text);
  if (failure !== undefined) deps.print(`change ${failure.number}, the same, failed: ${failure.reason}`);
}

function parseChangeArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        by: { type: 'string' },
        reason: { type: 'string', default: '' },
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    throw new AppError('config_invalid', USAGE, { cause });
  }
}

function parseReasons({ by = '', reason }: { readonly by?: string | undefined; readonly reason: string }) {
  const problems = findAskingProblems({ by, reason }, 'the change');
  if (problems.length > 0) throw usage(problems.join('\n'));
  return { by: by.trim(), reason: reason.trim() };
}

type Pair = { readonly weaker: ProfileRef; readonly stronger: ProfileRef };

/** Throws `conflict` when the change would change nothing. */
async function checkChange(kind: 'merge' | 'unmerge', { weaker, stronger }: Pair, deps: Deps) {
  if (weaker.key === stronger.key) throw usage('both ids are the same one');
  const [from, to] = [await followPath(deps.readStates, weaker), await followPath(deps.readStates, stronger)];
  const root = from.path.at(-1);
  const isOne = root?.key === to.path.at(-1)?.key;
  const [a, b] = [describeRef(weaker, deps), describeRef(stronger, deps)];
  if (kind === 'merge') {
    if (isOne) throw new AppError('conflict', `${a} and ${b} are one profile already`);
    return;
  }
  if (!isOne) throw new AppError('conflict', `${a} and ${b} are two profiles already`);
  if (from.path.some(({ key }) => key === stronger.key)) return;
  const common = root === undefined ? '' : describeRef(root, deps);
  throw new AppError('conflict', `${a} and ${b} both belong to ${common}: part one of them from that one`);
}

/** Ids of other kinds are addresses and numbers, which stay sealed: those show the key. */
function describeRef(ref: ProfileRef, { pseudonymizer, rules }: Pick<Deps, 'pseudonymizer' | 'rules'>) {
  if (!isShown(ref)) return `the ${toKindName(ref.strength, rules)} with the profile key ${ref.key}`;
  const id = pseudonymizer.unseal(ref.subject);
  return ref.strength === ID_STRENGTHS.user ? id : `anonymous:${id}`;
}

/** Writes the change to the ledger's key, and waits until it has its number. */
async function sendChange(
  change: Pair & { readonly kind: 'merge' | 'unmerge'; readonly by: string; readonly reason: string },
  { namespace, partitions, producer, readStates, clock = systemClock }: ChangeCommandDeps,
): Promise<LedgerEntry> {
  const id = randomUUID();
  const value = encodeMessage(AcceptedRecord, {
    record: { $case: 'identityChange', value: { ...change, id, atMs: clock.now() } },
  });
  const partition = toPartition(LEDGER_KEY, partitions);
  const topic = toTopic(namespace, 'eventAccepted');
  await producer.send([{ topic, partition, key: Buffer.from(LEDGER_KEY), value, headers: {} }]);
  const untilMs = clock.steadyMs() + NUMBER_WAIT_MS;
  for (;;) {
    const entry = (await readLedger(readStates)).find((one) => one.change.id === id);
    if (entry !== undefined) return entry;
    if (clock.steadyMs() >= untilMs) {
      throw new AppError('dependency_unavailable', 'the change is written, but the feature-store has not taken it yet');
    }
    await clock.wait(NUMBER_POLL_MS);
  }
}

/** The newest unmerge of the pair, where that has failed. */
async function findFailure({ weaker, stronger }: Pair, { readStates }: ChangeCommandDeps) {
  const isSame = ({ change }: LedgerEntry) =>
    change.kind === 'unmerge' && change.weaker.key === weaker.key && change.stronger.key === stronger.key;
  const newest = (await readLedger(readStates)).findLast(isSame);
  return newest?.state === 'failed' ? { number: newest.number, reason: newest.reason ?? '' } : undefined;
}

async function readLedger(readStates: ReadStates<StoredProfile>): Promise<readonly LedgerEntry[]> {
  const { node } = toParts((await readStates([LEDGER_KEY]))[0]?.state);
  return node.kind === 'ledger' ? node.entries : [];
}

async function printLog(deps: Deps, isJson: boolean): Promise<void> {
  const changes = (await readLedger(deps.readStates)).map(
    ({ number, change, state, attempt, atMs, reason: failure }) => ({
      number,
      kind: change.kind,
      state,
      attempt,
      weaker: describeRef(change.weaker, deps),
      stronger: describeRef(change.stronger, deps),
      by: change.by,
      reason: change.reason,
      askedAt: new Date(change.atMs).toISOString(),
      stateAt: new Date(atMs).toISOString(),
      ...(failure === undefined ? {} : { failure }),
    }),
  );
  if (isJson) return deps.print(JSON.stringify({ changes }));
  if (changes.length === 0) return deps.print('no identities were changed by hand');
  for (const { number, kind, state, weaker, stronger, by, reason, askedAt, failure } of changes) {
    const why = [reason, failure === undefined ? '' : `(${failure})`]
      .filter(Boolean)
      .map((text) => `  ${text}`)
      .join('');
    deps.print(`${number}  ${askedAt}  ${kind}  ${state}  ${weaker}  ${stronger}  by ${by}${why}`);
  }
}

function usage(message: string): AppError {
  return new AppError('config_invalid', message);
}
