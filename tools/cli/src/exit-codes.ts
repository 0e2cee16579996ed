import { isAppError, toMessage } from '@perennial/kernel';
import type { MachineCheck } from '@perennial/native-stack';
import { CommanderError } from 'commander';

/** Meaning of the exit code of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, machine: 3, interrupted: 130 } as const;

/** Ctrl-C, or SIGTERM: everything the command had started has been stopped. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** The machine lacks something; the message lists it with the remedy. */
export class MachineError extends Error {
  constructor(missing: readonly MachineCheck[]) {
    super(
      [
        'this machine lacks something:',
        ...missing.map(({ what, found, remedy }) => `  - ${what}: ${found}\n    ${remedy}`),
      ].join('\n'),
    );
    this.name = 'MachineError';
  }
}

/** The exit code for an error that a command threw. */
export function toExitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof MachineError) return EXIT.machine;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (isAppError(error, 'config_invalid')) return EXIT.usage;
  return EXIT.failed;
}

/** Message for an error; undefined when commander has printed it already. A programmer error includes its stack. */
export function toReport(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (isAppError(error) || error instanceof MachineError || error instanceof Interrupted) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : toMessage(error);
}
