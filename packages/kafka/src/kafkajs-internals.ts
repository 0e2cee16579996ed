import { createRequire } from 'node:module';

/** The only version whose inside is known here; another one is left as it is. */
const KAFKAJS_VERSION = '2.2.4';

/** A `require` that reaches into kafkajs; undefined when it is another version than the one known. */
export function openKafkajsInternals(): NodeJS.Require | undefined {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  return version === KAFKAJS_VERSION ? require : undefined;
}
