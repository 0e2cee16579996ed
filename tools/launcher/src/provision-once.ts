import { TOKEN_VARIABLE } from '@perennial/access';
import { DEFAULT_PARTITIONS, LIVE_NAMESPACE, parseNamespace } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { toLayout } from '@perennial/native-stack';
import { chooseArtifacts } from './check-artifacts.js';
import { loadNamespaceState, type NamespaceState, saveNamespaceState } from './namespace-state.js';
import { DEFAULT_PRESET, toPresetChoices } from './presets.js';
import { provision } from './provision.js';
import { printError, printLine } from './terminal.js';

/**
 * Provisions a namespace on stores that run already, then ends: the one-shot step of docker-compose.yml. The services'
 * commands read the environment of this process. What is in force is kept in PERENNIAL_HOME, so that a second run
 * writes nothing to the log.
 */

const PARTITIONS_MAX = 1024;

async function provisionOnce(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const layout = toLayout();
  const namespace = parseNamespace(env.PERENNIAL_NAMESPACE || LIVE_NAMESPACE);
  const kafkaBrokers = env.KAFKA_BROKERS;
  if (kafkaBrokers === undefined || kafkaBrokers === '')
    throw new AppError('config_invalid', 'KAFKA_BROKERS is not set');
  const partitions = parsePartitions(env.PERENNIAL_PARTITIONS);
  const token = env[TOKEN_VARIABLE] ?? '';
  const preset = toPresetChoices(layout.root, env.PERENNIAL_PRESET || DEFAULT_PRESET);
  const known = loadNamespaceState(layout.stateDir, namespace) ?? createState(namespace, partitions);
  const state = { ...known, token, artifactPaths: chooseArtifacts(known.artifactPaths, preset) };
  if (state.partitions !== partitions) {
    throw new AppError(
      'config_invalid',
      `namespace ${namespace} has ${state.partitions} partitions, not ${partitions}: the number is fixed when it is created`,
    );
  }
  const inForce = await provision({ layout, state, kafkaBrokers, environmentOf: () => ({}), onProgress: say });
  state.provisioned = { fingerprint: '', inForce };
  // The token is not stored here: it stays in the environment.
  saveNamespaceState(layout.stateDir, { ...state, token: '' });
  for (const { kind, number, hash } of inForce) say(`${kind} ${number} (${hash.slice(0, 12)}) is in force`);
}

/** Only what provisioning reads: nothing here starts processes. */
function createState(namespace: string, partitions: number): NamespaceState {
  const clockMode = namespace === LIVE_NAMESPACE ? 'wall' : 'events';
  return {
    version: 1,
    namespace,
    clockMode,
    partitions,
    token: '',
    provisioned: null,
    artifactPaths: {},
    oneProcess: false,
    ports: {},
    processes: {},
  };
}

function parsePartitions(text: string | undefined): number {
  const partitions = text === undefined || text === '' ? DEFAULT_PARTITIONS : Number(text);
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX) return partitions;
  throw new AppError(
    'config_invalid',
    `PERENNIAL_PARTITIONS is ${JSON.stringify(text)} but must be an integer from 1 to ${PARTITIONS_MAX}`,
  );
}

function say(message: string): void {
  printLine(`provision: ${message}`);
}

try {
  await provisionOnce(process.env);
} catch (error) {
  printError(error, { prefix: 'provision: ' });
  process.exitCode = 1;
}
