import { redactUrl } from '@perennial/kernel';
import type { StackEndpoints } from '@perennial/native-stack';
import { Option } from 'commander';

/** `--secrets`: passwords are printed only on request, since output ends in logs and tickets. */
export function createSecretsOption(): Option {
  return new Option('--secrets', 'with the passwords of the local stack in the URLs of --json');
}

/** Endpoints for output: without their passwords unless these were requested. */
export function toShown<E extends Partial<StackEndpoints>>(
  endpoints: E,
  { secrets = false }: { secrets?: boolean },
): E {
  if (secrets) return endpoints;
  const { redisUrl, postgresUrl } = endpoints;
  return {
    ...endpoints,
    ...(redisUrl === undefined ? {} : { redisUrl: redactUrl(redisUrl) }),
    ...(postgresUrl === undefined ? {} : { postgresUrl: redactUrl(postgresUrl) }),
  };
}
