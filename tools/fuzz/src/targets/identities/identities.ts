import { Draw } from '../../draw.js';
import type { CaseResult, FuzzTarget } from '../../target.js';
import { drawEvent, drawHostile } from './draw-record.js';
import { FuzzWorld } from './fuzz-world.js';

const EVENTS_MAX = 20;
const HOSTILE_MAX = 12;

/** Events that name ids, amid records about joins that nobody may write: each counts or is poison, and all of it ends. */
export const identities: FuzzTarget = {
  description: 'claims, ties, aliases, joins, links, hand-overs: forged, damaged, mis-keyed, huge, in circles',
  async run(seed): Promise<CaseResult> {
    const draw = new Draw(seed);
    const isHonest = draw.chance(0.2);
    const world = new FuzzWorld();
    let hasTies = draw.chance(0.5);
    if (hasTies) world.rollOut('rules');
    const count = draw.whole(1, EVENTS_MAX);
    for (let i = 0; i < count; i++) {
      const { self, ...event } = drawEvent(draw, { messageId: `m${i}`, hasTies });
      world.send(event);
      for (let hostile = isHonest ? 0 : draw.whole(0, 3); hostile > 0 && world.hostile < HOSTILE_MAX; hostile--)
        world.sendHostile(drawHostile(draw, world.encoded()));
      // Ties that are on their way when a kind is left out again join nobody.
      if (draw.chance(0.05)) {
        hasTies = !hasTies;
        world.rollOut(hasTies ? 'rules' : 'none');
      }
      // Some wait for others.
      if (draw.chance(0.6)) await world.settle();
    }
    await world.settle();
    const problem = world.problem ?? (isHonest ? world.findMiscount(count) : undefined);
    const results = [...world.results];
    return problem === undefined ? { results } : { results, problem };
  },
};
