import { must } from '@perennial/kernel';

/** Addresses of the real servers: `./perennial test` starts them and sets these variables. */
export interface TestEnvironment {
  readonly brokers: string[];
  readonly redisUrl: string;
  readonly postgresUrl: string;
}

export function readTestEnvironment(): TestEnvironment {
  const read = (name: string) =>
    must(process.env[name], `${name} (run the integration tests through ./perennial test)`);
  return {
    brokers: read('PERENNIAL_TEST_KAFKA_BROKERS').split(','),
    redisUrl: read('PERENNIAL_TEST_REDIS_URL'),
    postgresUrl: read('PERENNIAL_TEST_POSTGRES_URL'),
  };
}
