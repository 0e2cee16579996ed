import { unreachable } from '@perennial/kernel';
import type { Fault, ProcessAddress } from './fault.js';
import type { Fleet } from './fleet.js';
import type { Service } from './network.js';
import { damageSnapshot, trimLog } from './snapshot-hazards.js';
import type { World } from './world.js';

/** Injects a fault now, and ends it when its time is over. */
export function inject(fault: Fault, { world, fleet }: { world: World; fleet: Fleet }): void {
  const { scheduler, network } = world;
  switch (fault.kind) {
    case 'kill':
    case 'stop':
      fleet[fault.kind](fault.at);
      scheduler.schedule(fault.forMs, () => replace(fleet, fault.at));
      break;
    case 'pause':
      fleet.pause(fault.at);
      scheduler.schedule(fault.forMs, () => fleet.resume(fault.at));
      break;
    case 'cut-off':
      fleet.cutOff(fault.at);
      scheduler.schedule(fault.forMs, () => fleet.reconnect(fault.at));
      break;
    case 'rebalance':
      world.group(fault.stage).rebalance();
      break;
    case 'fail-over':
      for (let i = 0; i < fault.times; i++) scheduler.schedule(i * fault.everyMs, () => failOver(world, fault));
      break;
    case 'lost-part':
      losePart(world, fault);
      break;
    case 'empty':
      for (const store of world.storesOf(fault.stages)) store.empty();
      break;
    case 'slow':
      network.conditions.slow = true;
      scheduler.schedule(fault.forMs, () => {
        network.conditions.slow = false;
      });
      break;
    case 'store-trouble':
      trouble(world, ['store'], fault.forMs);
      break;
    case 'publish-trouble':
      trouble(world, ['producer', 'broker'], fault.forMs);
      break;
    case 'blob-trouble':
      trouble(world, ['blobs'], fault.forMs);
      break;
    case 'damage':
      damageSnapshot(world, fault.stage);
      break;
    case 'trim':
      trimLog(world, fault.stage);
      break;
    default:
      unreachable(fault);
  }
}

function failOver(world: World, { stages, losesMs }: { stages: readonly number[]; losesMs: number }): void {
  for (const store of world.storesOf(stages)) store.failOver(losesMs);
}

function losePart(world: World, { stage, afterMs }: Extract<Fault, { kind: 'lost-part' }>): void {
  const { scheduler } = world;
  const stores = world.storesOf([stage]);
  const onPart = () => {
    for (const store of stores) store.onPart = undefined;
    const partMs = scheduler.nowMs;
    scheduler.schedule(afterMs, () => failOver(world, { stages: [stage], losesMs: scheduler.nowMs - partMs + 1 }));
  };
  for (const store of stores) store.onPart = onPart;
}

function trouble({ network, scheduler }: World, services: readonly Service[], forMs: number): void {
  for (const service of services) network.conditions.trouble.add(service);
  scheduler.schedule(forMs, () => {
    for (const service of services) network.conditions.trouble.delete(service);
  });
}

/** Kills processes that have not ended by themselves. */
function replace(fleet: Fleet, at: ProcessAddress): void {
  fleet.kill(at);
  fleet.start(at);
}

/** Ends every fault that is still active. */
export function heal({ world, fleet }: { world: World; fleet: Fleet }): void {
  world.network.conditions.slow = false;
  world.network.conditions.trouble.clear();
  for (const store of world.stores) store.onPart = undefined;
  for (const at of fleet.addresses) fleet.heal(at);
}
