import { AppError } from '@perennial/kernel';
import { attachStack, toLayout } from '@perennial/native-stack';
import { Option } from 'commander';

/** `--brokers`, the same for every command that works on a Kafka elsewhere too. */
export function createBrokersOption(): Option {
  return new Option('--brokers <host:port,...>', 'of a Kafka elsewhere (default: that of the stack that runs here)');
}

/** Those that were named, else those of the stack that runs here. */
export function findBrokers(brokers: string | undefined): { kafkaBrokers: string } {
  if (brokers !== undefined) return { kafkaBrokers: brokers };
  const endpoints = attachStack(toLayout());
  if (endpoints !== undefined) return endpoints;
  throw new AppError('not_found', 'the stack does not run: run `./perennial up` first, or name a Kafka with --brokers');
}
