import { installCleanReconnect } from './clean-reconnect.js';
import { installClockProofHeartbeat } from './clock-proof-heartbeat.js';
import { installClockProofTimeouts } from './clock-proof-timeouts.js';
import { installFastProduce } from './fast-produce.js';
import { checkKafkajsVersion } from './kafkajs-internals.js';
import { installQuietRequestQueue } from './quiet-request-queue.js';
import { installReconnectOnSilence } from './reconnect-on-silence.js';
import { installStaticMembership } from './static-membership.js';

/**
 * Everything that differs here from kafkajs as it is published, once a process. Most patches are about correctness, so a
 * kafkajs that cannot be patched must not run: throws `dependency_misconfigured` for any other version than the known one.
 */
export function patchKafkajs(): void {
  checkKafkajsVersion();
  installFastProduce();
  installQuietRequestQueue();
  installCleanReconnect();
  installClockProofHeartbeat();
  installClockProofTimeouts();
  installReconnectOnSilence();
  installStaticMembership();
}
