import type { Logger } from '@perennial/telemetry';
import { installCleanReconnect } from './clean-reconnect.js';
import { installClockProofHeartbeat } from './clock-proof-heartbeat.js';
import { installClockProofTimeouts } from './clock-proof-timeouts.js';
import { installFastProduce } from './fast-produce.js';
import { installQuietRequestQueue } from './quiet-request-queue.js';
import { installReconnectOnSilence } from './reconnect-on-silence.js';
import { installStaticMembership } from './static-membership.js';

/** All that is other here than kafkajs made it, once a process; another version than the one known is left as it is. */
export function mendKafkajs(logger: Logger): void {
  if (!installFastProduce()) logger.debug('kafkajs keeps its own encoder');
  if (!installQuietRequestQueue()) logger.debug('kafkajs keeps its own request queue');
  if (!installCleanReconnect()) logger.debug('kafkajs keeps its own connections');
  if (!installClockProofHeartbeat()) logger.debug('kafkajs keeps its own heartbeat');
  if (!installClockProofTimeouts()) logger.debug('kafkajs keeps its own timeouts');
  if (!installReconnectOnSilence()) logger.debug('kafkajs keeps connections that do not answer');
  if (!installStaticMembership()) logger.debug('kafkajs joins groups without a name');
}
