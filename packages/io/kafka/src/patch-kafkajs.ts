import { installCleanReconnect } from './clean-reconnect.js';
import { installClockProofHeartbeat } from './clock-proof-heartbeat.js';
import { installClockProofTimeouts } from './clock-proof-timeouts.js';
import { installFastProduce } from './fast-produce.js';
import { checkKafkajsVersion } from './kafkajs-internals.js';
import { installQuietRequestQueue } from './quiet-request-queue.js';
import { installReconnectOnSilence } from './reconnect-on-silence.js';
import { installStaticMembership } from './static-membership.js';
import { installTolerantFetch } from './tolerant-fetch.js';
import { installUncommittedOffsets } from './uncommitted-offsets.js';

/**
 * Applies all patches to kafkajs, once per process. Most of them are needed for correctness, so an unpatched kafkajs
 * must not run: throws `dependency_misconfigured` for any version other than the known one.
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
  installTolerantFetch();
  installUncommittedOffsets();
}
