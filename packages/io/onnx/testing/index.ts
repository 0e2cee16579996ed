export { createTinyGraph, type TinyOutput } from './tiny-graph.js';
export {
  createExternalGraph,
  createHeavyGraph,
  createNeighbourGraph,
  createNestedGraph,
  createShortGraph,
  createTrapGraph,
  createUnknownOperatorGraph,
  type Trap,
} from './trap-graph.js';
