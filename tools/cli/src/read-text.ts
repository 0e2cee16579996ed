import { readFileSync } from 'node:fs';
import { AppError, toMessage } from '@perennial/kernel';

/** The text of a file that a command was given; throws `config_invalid` when it cannot be read. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read ${file}: ${toMessage(cause)}`, { cause });
  }
}
