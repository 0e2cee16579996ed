import { SERVICE_NAMES } from '@perennial/contracts';
import { systemClock } from '@perennial/kernel';
import type { Instance } from '../fleet.js';
import type { Draw, Fault } from './fault.js';

/** Longer than the session timeout, so that the group reassigns the partitions. */
const ZOMBIE_MS = { min: 7_000, max: 12_000 };

const name = (instance: Instance) => `${instance.service}-${instance.index}`;

const killService: Fault = {
  name: 'kill-service',
  row: 1,
  lane: 'services',
  async run({ fleet }, draw) {
    const instance = draw.pick(fleet.instances);
    fleet.kill(instance);
    return name(instance);
  },
};

const killAllOfOne: Fault = {
  name: 'kill-all-of-a-service',
  row: 1,
  lane: 'services',
  async run({ fleet }, draw) {
    const service = draw.pick(SERVICE_NAMES);
    for (const instance of fleet.of(service)) fleet.kill(instance);
    return service;
  },
};

const terminateService: Fault = {
  name: 'terminate-service',
  row: 2,
  lane: 'services',
  async run({ fleet }, draw) {
    const instance = draw.pick(fleet.instances);
    const { drainMs, killed } = await fleet.restart(instance);
    return `${name(instance)}, ${killed ? 'had to be killed' : 'drained'} after ${drainMs} ms`;
  },
};

const pauseService: Fault = {
  name: 'pause-service',
  row: 3,
  lane: 'services',
  async run({ fleet }, draw) {
    const instance = pickProcessor(fleet.instances, draw);
    const pauseMs = draw.between(ZOMBIE_MS.min, ZOMBIE_MS.max);
    fleet.pause(instance);
    await systemClock.wait(pauseMs);
    fleet.resume(instance);
    return `${name(instance)}, ${pauseMs} ms`;
  },
};

const scale: Fault = {
  name: 'scale-out-and-in',
  row: 4,
  lane: 'services',
  async run({ fleet }, draw) {
    const service = draw.pick(SERVICE_NAMES);
    const added = await fleet.add(service);
    await systemClock.wait(draw.between(3_000, 6_000));
    await fleet.remove(added);
    return name(added);
  },
};

const rollingRestart: Fault = {
  name: 'rolling-restart',
  row: 4,
  lane: 'services',
  async run({ fleet }, draw) {
    const service = draw.pick(SERVICE_NAMES);
    for (const instance of [...fleet.of(service)]) {
      await fleet.restart(instance);
      await fleet.waitUntilReady();
    }
    return service;
  },
};

const slowConsumer: Fault = {
  name: 'slow-consumer',
  row: 16,
  lane: 'services',
  async run({ fleet }, draw) {
    const service = draw.pick(['scoring', 'action'] as const);
    const instances = fleet.of(service);
    // Stopped and resumed alternately: slow, but never silent for a whole session timeout.
    for (let turn = 0; turn < 10; turn++) {
      for (const instance of instances) fleet.pause(instance);
      await systemClock.wait(900);
      for (const instance of instances) fleet.resume(instance);
      await systemClock.wait(100);
    }
    return `${service} at a tenth of its speed, 10 s`;
  },
};

const clockJump: Fault = {
  name: 'clock-jump',
  row: 19,
  lane: 'services',
  async run({ fleet }, draw) {
    const instance = draw.pick(fleet.instances);
    for (let turn = 0; turn < 3; turn++) {
      fleet.jumpClock(instance);
      if (turn < 2) await systemClock.wait(draw.between(2_000, 5_000));
    }
    return `${name(instance)}, a day ahead, a day back, right again`;
  },
};

const hotKey: Fault = {
  name: 'hot-key',
  row: 14,
  lane: 'services',
  async run({ workload }, draw) {
    const seconds = draw.between(5, 10);
    workload.hotShare = 0.5;
    await systemClock.wait(seconds * 1000);
    workload.hotShare = undefined;
    return `half of the events one user's, ${seconds} s`;
  },
};

function pickProcessor(instances: readonly Instance[], draw: Draw): Instance {
  return draw.pick(instances.filter(({ service }) => service !== 'ingest'));
}

export const SERVICE_FAULTS: readonly Fault[] = [
  killService,
  killAllOfOne,
  terminateService,
  pauseService,
  scale,
  rollingRestart,
  slowConsumer,
  clockJump,
  hotKey,
];
