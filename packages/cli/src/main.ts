import { Command } from 'commander';
import { createBenchCommand } from './commands/bench.js';
import { createChaosCommand } from './commands/chaos.js';
import { createDemoCommand } from './commands/demo.js';
import { createDoctorCommand } from './commands/doctor.js';
import { createDownCommand } from './commands/down.js';
import { createReplayCommand } from './commands/replay.js';
import { createSourcesCommand } from './commands/sources.js';
import { createStatusCommand } from './commands/status.js';
import { createTestCommand } from './commands/test.js';
import { createTopicCommand } from './commands/topic.js';
import { createUpCommand } from './commands/up.js';
import { toExitCode, toReport } from './exit-codes.js';

const EXAMPLES = `
Examples:
  ./perennial demo                      see all of it at work, on a real purchase history
  ./perennial up                        start Kafka, PostgreSQL, Redis and the services; again: what is missing
  ./perennial status                    what runs, where, and how far behind it is
  ./perennial topic action.decided -f   watch decisions as they are made
  ./perennial replay orders.csv.gz      send a history through the platform in fast time
  ./perennial down                      end everything, keep the data

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the machine lacks something (see doctor).`;

const program = new Command('perennial')
  .description('Real-time user lifecycle management on Kafka.')
  .addHelpText('after', EXAMPLES)
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .addCommand(createDemoCommand())
  .addCommand(createUpCommand())
  .addCommand(createDownCommand())
  .addCommand(createStatusCommand())
  .addCommand(createTopicCommand())
  .addCommand(createSourcesCommand())
  .addCommand(createReplayCommand())
  .addCommand(createTestCommand())
  .addCommand(createBenchCommand())
  .addCommand(createChaosCommand())
  .addCommand(createDoctorCommand());

// A subcommand made on its own does not inherit this: without it commander exits by itself, with 1 for wrong usage.
for (const command of program.commands) {
  command.exitOverride();
  for (const nested of command.commands) nested.exitOverride();
}

// A reader such as `head` that has seen enough is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  const report = toReport(error);
  if (report !== undefined) process.stderr.write(`perennial: ${report}\n`);
  process.exitCode = toExitCode(error);
}
