import { attachStack, checkMachine, type MachineCheck, toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { createPortOption } from '../options.js';
import { line, lines, type Printable, printJson, printLine, toTable } from '../output.js';

interface DoctorOptions {
  readonly kafkaPort?: number;
  readonly redisPort?: number;
  readonly postgresPort?: number;
  readonly httpPort?: number;
  readonly json?: boolean;
}

export function createDoctorCommand(): Command {
  return new Command('doctor')
    .addOption(createPortOption('--kafka-port', 'Kafka'))
    .addOption(createPortOption('--redis-port', 'Redis'))
    .addOption(createPortOption('--postgres-port', 'PostgreSQL'))
    .addOption(createPortOption('--http-port', 'ingest'))
    .option('--json', 'print the checks as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  ./perennial doctor\n  ./perennial doctor --kafka-port 9092   is the port free?\n\nExit code 3 when something is missing.',
    )
    .action(async ({ json, ...ports }: DoctorOptions) => {
      const asked = Object.entries(ports).map(([name, port]) => [name.replace(/Port$/, ''), port] as const);
      const layout = toLayout();
      const checks = await checkMachine(layout, Object.fromEntries(asked));
      if (json) printJson({ ok: checks.every(({ ok }) => ok), checks, stackRuns: attachStack(layout) !== undefined });
      else printLine(formatChecks(checks));
      if (checks.some(({ ok }) => !ok)) process.exitCode = EXIT.machine;
    });
}

/** A line a check, then what to do about each that needs something. */
export function formatChecks(checks: readonly MachineCheck[]): Printable {
  const table = toTable(checks.map((check) => [toState(check), check.what, check.found]));
  const remedies = checks.flatMap(({ what, remedy }) =>
    remedy === null ? [] : ['', line`${what}:`, line`  ${remedy}`],
  );
  return lines(table, ...remedies);
}

function toState({ ok, remedy }: MachineCheck): string {
  if (!ok) return 'missing';
  return remedy === null ? 'ok' : 'warning';
}
