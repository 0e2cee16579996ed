/*
 * Loaded into the services of a chaos run before their main (`node --import`): installs wrappers at the seams that the
 * processor, the log and the states provide. Nothing else reads these settings, so no environment variable breaks a
 * service that is started without this file.
 */
import { appendFileSync } from 'node:fs';
import { stateSeam } from '@perennial/contracts/internals';
import { logSeam } from '@perennial/kafka/internals';
import { processorSeam } from '@perennial/keyed-processor/internals';
import { MUTANTS } from '../mutants.js';
import { toStateWrapper } from '../releases.js';
import { createCrashHere } from './crash-here.js';
import { type Happening, parseHarnessSettings } from './settings.js';
import { createWrappers } from './wrappers.js';

const { crashPointFile, happenedFile, mutant, release } = parseHarnessSettings(process.env);
const reported = new Set<Happening>();

function report(happening: Happening): void {
  if (reported.has(happening)) return;
  reported.add(happening);
  appendFileSync(happenedFile, `${happening}\n`);
}

const crashHere = createCrashHere(crashPointFile, () => process.kill(process.pid, 'SIGKILL'));
logSeam.install(crashHere.log);
processorSeam.install(
  createWrappers({
    crashHere,
    mutant: mutant && MUTANTS[mutant],
    release,
    onBroken: () => report('rule-broken'),
  }),
);
if (release !== undefined) stateSeam.install(toStateWrapper(release, () => report('release-written')));
