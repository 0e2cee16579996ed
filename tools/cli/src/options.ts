import { DEFAULT_PARTITIONS, LIVE_NAMESPACE, parseNamespace } from '@perennial/contracts';
import { toMessage } from '@perennial/kernel';
import { InvalidArgumentError, Option } from 'commander';

const PORT_MAX = 65_535;
const PARTITIONS_MAX = 1_000;

/** `--namespace`, the same for every command. */
export function createNamespaceOption(): Option {
  return new Option('--namespace <name>', 'keeps topics, keys and tables apart from others')
    .argParser(parseNamespaceOption)
    .default(LIVE_NAMESPACE);
}

/** A port to listen on. */
export function createPortOption(flags: string, what: string): Option {
  return new Option(`${flags} <port>`, `port of ${what} (default: a preferred one, or any that is free)`).argParser(
    parsePort,
  );
}

export function createPartitionsOption(): Option {
  return new Option(
    '--partitions <n>',
    `partitions of every topic, fixed when the namespace is created (default: ${DEFAULT_PARTITIONS})`,
  ).argParser((text) => parseWhole(text, { min: 1, max: PARTITIONS_MAX }));
}

export function parsePort(text: string): number {
  return parseWhole(text, { min: 1, max: PORT_MAX });
}

/** A whole number within bounds; commander reports the error as wrong usage. */
export function parseWhole(text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < min || value > max)
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  return value;
}

function parseNamespaceOption(text: string): string {
  try {
    return parseNamespace(text);
  } catch (error) {
    throw new InvalidArgumentError(toMessage(error));
  }
}
