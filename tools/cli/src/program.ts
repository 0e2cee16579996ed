import { Command } from 'commander';
import { COMMANDER_OUTPUT } from './output.js';

const EXAMPLES = `
Examples:
  ./perennial demo                      see all of it at work, on a real purchase history
  ./perennial up                        start Kafka, PostgreSQL, Redis and the services; again: what is missing
  ./perennial status                    what runs, where, and how far behind it is
  ./perennial topic action.decided -f   watch decisions as they are made
  ./perennial dlq list                  what the platform could not take, and why
  ./perennial backfill orders.csv.gz      send a history through the platform in fast time
  ./perennial down                      end everything, keep the data

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the machine lacks something (see doctor).`;

interface Entry {
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** In the order of the help. Each imports its code only when it is called: together they take a second to load. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  demo: {
    description: 'start everything, backfill a real purchase history, send live traffic, and show what came of it',
    load: async () => (await import('./commands/demo.js')).createDemoCommand(),
  },
  up: {
    description: 'start the stack and the services of a namespace, or what is missing of them',
    load: async () => (await import('./commands/up.js')).createUpCommand(),
  },
  down: {
    description: 'end the services and the stack; data stays unless --volumes is given',
    load: async () => (await import('./commands/down.js')).createDownCommand(),
  },
  status: {
    description: 'what runs, where, and how far behind it is; starts nothing',
    load: async () => (await import('./commands/status.js')).createStatusCommand(),
  },
  topic: {
    description: 'read a topic in readable form: position, time, key, headers, and the value decoded',
    load: async () => (await import('./commands/topic.js')).createTopicCommand(),
  },
  dlq: {
    description: 'what the platform could not take: list it, look at it, re-publish it when the cause is gone',
    load: async () => (await import('./commands/dlq.js')).createDlqCommand(),
  },
  sources: {
    description: 'who may send events: sources and their write keys',
    load: async () => (await import('./commands/sources.js')).createSourcesCommand(),
  },
  placeholders: {
    description: 'which ids stand for nobody, such as undefined and guest: list, add, allow',
    load: async () => (await import('./commands/placeholders.js')).createPlaceholdersCommand(),
  },
  tokens: {
    description: 'who may read and operate: tokens with scopes, for every route but those that take events',
    load: async () => (await import('./commands/tokens.js')).createTokensCommand(),
  },
  profile: {
    description: 'all that is known of a user, on one page: who it is, why, and what happens next',
    load: async () => (await import('./commands/profile.js')).createProfileCommand(),
  },
  account: {
    description: 'what is known of an account: traits, members, features of what all its members did',
    load: async () => (await import('./commands/account.js')).createAccountCommand(),
  },
  identity: {
    description: 'which ids are one person: show, merge, unmerge, log; check and list rules about ids',
    load: async () => (await import('./commands/identity.js')).createIdentityCommand(),
  },
  events: {
    description: 'take back one event by its id: what it had added to features',
    load: async () => (await import('./commands/events.js')).createEventsCommand(),
  },
  features: {
    description: 'feature specs: check, list, diff, cost, oracle; of the one in force: fill, drift',
    load: async () => (await import('./commands/features.js')).createFeaturesCommand(),
  },
  audit: {
    description: 'compute features again from the archive, and compare them with what was served',
    load: async () => (await import('./commands/audit.js')).createAuditCommand(),
  },
  segments: {
    description: 'who is in which segment: list, show, size, members, export; check a file',
    load: async () => (await import('./commands/segments.js')).createSegmentsCommand(),
  },
  tags: {
    description: 'tags that users are given: list, add, remove, import a list, history',
    load: async () => (await import('./commands/tags.js')).createTagsCommand(),
  },
  explore: {
    description: 'ask the event archive: funnels, frequent paths, association rules, retention, cohorts, RFM',
    load: async () => (await import('./commands/explore.js')).createExploreCommand(),
  },
  policy: {
    description: 'policies, which decide who gets which action when: check a file, compare two, explain one',
    load: async () => (await import('./commands/policy.js')).createPolicyCommand(),
  },
  explain: {
    description: 'what the policy in force would do for a user now, step by step: why, and why not',
    load: async () => (await import('./commands/explain.js')).createExplainCommand(),
  },
  actions: {
    description: 'actions that were decided, and what came of each: list those of a user, show one',
    load: async () => (await import('./commands/actions.js')).createActionsCommand(),
  },
  experiments: {
    description:
      'experiments: list, report what one has brought; plan persons and days, simulate how often the statistics err',
    load: async () => (await import('./commands/experiments.js')).createExperimentsCommand(),
  },
  export: {
    description:
      'write training data from the event archive: features as they were known at cutoffs, labels, sequences',
    load: async () => (await import('./commands/export.js')).createExportCommand(),
  },
  artifacts: {
    description: 'what rollouts may name, from feature specs to policies: list what is registered, show one',
    load: async () => (await import('./commands/artifacts.js')).createArtifactsCommand(),
  },
  backfill: {
    description: 'send a history file through the front door in fast time, event time driving the clock',
    load: async () => (await import('./commands/backfill.js')).createBackfillCommand(),
  },
  rebuild: {
    description: 'make every state again from the event archive, when Redis and the snapshots are gone',
    load: async () => (await import('./commands/rebuild.js')).createRebuildCommand(),
  },
  test: {
    description:
      'run every test: types, lint, contracts, unit, simulation, fuzz; then integration on a stack of its own, removed afterwards',
    load: async () => (await import('./commands/test.js')).createTestCommand(),
  },
  bench: {
    description: 'measure, as ratios against a baseline in the same run',
    load: async () => (await import('./commands/bench.js')).createBenchCommand(),
  },
  simulate: {
    description:
      'the heart of the platform in a simulated world: real code; log, stores, clock and faults from one seed',
    load: async () => (await import('./commands/simulate.js')).createSimulateCommand(),
  },
  fuzz: {
    description:
      'what producers, exports and attackers may send, drawn from seeds: nothing stands still, nothing counts wrongly',
    load: async () => (await import('./commands/fuzz.js')).createFuzzCommand(),
  },
  chaos: {
    description:
      'inject faults into the platform under load, in seeded order, and compare what came of it with a fault-free run',
    load: async () => (await import('./commands/chaos.js')).createChaosCommand(),
  },
  doctor: {
    description: 'check that this machine has what Perennial needs, and say how to get what it lacks',
    load: async () => (await import('./commands/doctor.js')).createDoctorCommand(),
  },
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** The program for these arguments: loads the command that they name; the others only have their line in the help. */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('perennial')
    .description('Real-time user lifecycle management on Kafka.')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    // What follows a command is for it to parse: so `topic` can have a subcommand with options of the same names.
    .enablePositionalOptions()
    .configureOutput(COMMANDER_OUTPUT);
  const named = findNamed(args);
  for (const [name, { description, load }] of Object.entries(COMMANDS)) {
    const command = name === named ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  // A separately built subcommand does not inherit these: without it commander exits itself, with 1 for wrong usage.
  prepareAll(program.commands);
  return program;
}

function prepareAll(commands: readonly Command[]): void {
  for (const command of commands) {
    command.exitOverride().configureOutput(COMMANDER_OUTPUT);
    prepareAll(command.commands);
  }
}

/** `up` in `up --json` and in `help up`. */
function findNamed(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  return first === 'help' ? second : first;
}
