import { isAppError, toMessage } from '@perennial/kernel';
import type { MachineCheck } from '@perennial/native-stack';
import { CommanderError } from 'commander';

/** What the exit code of every command says. */
export const EXIT = { ok: 0, failed: 1, usage: 2, machine: 3, interrupted: 130 } as const;

/** Ctrl-C, or SIGTERM: what the command had started has been stopped. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** The machine lacks something; the message lists what, with the remedy. */
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

/** The exit code for what a command threw. */
export function toExitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof MachineError) return EXIT.machine;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (isAppError(error, 'config_invalid')) return EXIT.usage;
  return EXIT.failed;
}

/** What to print about it; undefined when commander has already said it. A programmer's error comes with its stack. */
export function toReport(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (isAppError(error) || error instanceof MachineError || error instanceof Interrupted) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : toMessage(error);
}
