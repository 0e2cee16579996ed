import {
  encodeExternal,
  encodeFloats,
  encodeGraph,
  encodeGraphAttribute,
  encodeInfo,
  encodeIntAttribute,
  encodeInts,
  encodeIntsAttribute,
  encodeModel,
  encodeNode,
  encodeTrue,
  encodeZeros,
} from './encode-graph.js';

/** What a trap does: throws, asks for 400 GB or for 800 MB, or runs a loop that never ends. */
export type Trap = 'throws' | 'memory' | 'bigMemory' | 'loop';

const ENDLESS = 1e12;
/** The type's number in onnx.proto. */
const INT64 = 7;

/**
 * An ONNX graph of one probability, `score` of shape [rows]: the logistic function of the mean feature. A batch in which
 * a feature of some row is above `limit` springs the trap; without a limit, every batch does.
 */
export function createTrapGraph(
  features: number,
  trap: Trap,
  { limit = -1 }: { readonly limit?: number } = {},
): Buffer {
  const other = encodeGraph({
    nodes: [encodeNode('Identity', ['zero'], 'calm')],
    outputs: [encodeInfo('calm', 'float', [])],
  });
  const branches = [encodeGraphAttribute('then_branch', TRAPS[trap]), encodeGraphAttribute('else_branch', other)];
  return encodeScoreGraph(features, {
    nodes: [
      encodeNode('ReduceMax', ['known'], 'highest', [encodeIntsAttribute('axes', [0, 1]), KEEP_NO_DIMENSIONS]),
      encodeNode('Greater', ['highest', 'limit'], 'isTrap'),
      encodeNode('If', ['isTrap'], 'sprung', branches),
      encodeNode('Add', ['mean', 'sprung'], 'sum'),
    ],
    constants: [
      encodeFloats('limit', [], [limit]),
      encodeFloats('one', [], [1]),
      encodeFloats('list', [1], [0]),
      encodeInts('huge', [1], [trap === 'memory' ? 1e11 : 2e8]),
      encodeInts('endless', [], [ENDLESS]),
      encodeTrue('true'),
    ],
  });
}

/** Answers for one row, however many it gets. */
export function createShortGraph(features: number): Buffer {
  return encodeScoreGraph(features, {
    nodes: [encodeNode('Slice', ['mean', 'from', 'to'], 'sum')],
    constants: [encodeInts('from', [1], [0]), encodeInts('to', [1], [1])],
  });
}

/** Gives each row the mean of its batch. */
export function createNeighbourGraph(features: number): Buffer {
  const axes = [encodeIntsAttribute('axes', [0]), KEEP_NO_DIMENSIONS];
  return encodeScoreGraph(features, {
    nodes: [
      encodeNode('ReduceMean', ['mean'], 'ofBatch', axes),
      encodeNode('Mul', ['mean', 'zero'], 'zeros'),
      encodeNode('Add', ['zeros', 'ofBatch'], 'sum'),
    ],
  });
}

/** Keeps its numbers in another file. */
export function createExternalGraph(features: number, path: string): Buffer {
  return encodeScoreGraph(features, {
    nodes: [encodeNode('Add', ['mean', 'elsewhere'], 'sum')],
    constants: [encodeExternal('elsewhere', [1], path)],
  });
}

/** An operator that nobody has. */
export function createUnknownOperatorGraph(features: number, operator: string): Buffer {
  return encodeScoreGraph(features, { nodes: [encodeNode(operator, ['mean'], 'sum')] });
}

/** A graph with a table of so many bytes, of which it reads the first number: a large model that is quick. */
export function createHeavyGraph(features: number, tableBytes: number): Buffer {
  return encodeScoreGraph(features, {
    nodes: [
      encodeNode('Gather', ['table', 'first'], 'found', [encodeIntAttribute('axis', 0)]),
      encodeNode('Add', ['mean', 'found'], 'sum'),
    ],
    constants: [encodeZeros('table', [tableBytes / 4]), encodeInts('first', [], [0])],
  });
}

/** Branches within branches. */
export function createNestedGraph(features: number, depth: number): Buffer {
  let inner = encodeGraph({
    nodes: [encodeNode('Identity', ['zero'], 'r0')],
    outputs: [encodeInfo('r0', 'float', [])],
  });
  for (let level = 1; level < depth; level++) {
    const branches = [encodeGraphAttribute('then_branch', inner), encodeGraphAttribute('else_branch', inner)];
    // Both branches would double the file with each level.
    inner = encodeGraph({
      nodes: [encodeNode('If', ['true'], `r${level}`, branches.slice(0, 1))],
      outputs: [encodeInfo(`r${level}`, 'float', [])],
    });
  }
  return encodeScoreGraph(features, {
    nodes: [encodeNode('If', ['true'], 'sum', [encodeGraphAttribute('then_branch', inner)])],
    constants: [encodeTrue('true')],
  });
}

const KEEP_NO_DIMENSIONS = encodeIntAttribute('keepdims', 0);

function encodeScoreGraph(
  features: number,
  { nodes, constants = [] }: { readonly nodes: readonly Buffer[]; readonly constants?: readonly Buffer[] },
): Buffer {
  return encodeModel(
    encodeGraph({
      nodes: [
        encodeNode('IsNaN', ['features'], 'missing'),
        encodeNode('Where', ['missing', 'zero', 'features'], 'known'),
        encodeNode('ReduceMean', ['known'], 'mean', [encodeIntsAttribute('axes', [1]), KEEP_NO_DIMENSIONS]),
        ...nodes,
        encodeNode('Sigmoid', ['sum'], 'score'),
      ],
      constants: [encodeFloats('zero', [], [0]), ...constants],
      inputs: [encodeInfo('features', 'float', ['rows', features])],
      outputs: [encodeInfo('score', 'float', ['rows'])],
    }),
  );
}

const scalar = encodeInfo('result', 'float', []);

const allocation = encodeGraph({
  nodes: [
    encodeNode('ConstantOfShape', ['huge'], 'big'),
    encodeNode('ReduceMax', ['big'], 'result', [KEEP_NO_DIMENSIONS]),
  ],
  outputs: [scalar],
});

const loop = encodeGraph({
  nodes: [
    encodeNode('Loop', ['endless', 'true', 'zero'], 'result', [
      encodeGraphAttribute(
        'body',
        encodeGraph({
          nodes: [encodeNode('Identity', ['goes'], 'goesOn'), encodeNode('Add', ['value', 'one'], 'more')],
          inputs: [encodeInfo('turn', 'int64', []), encodeInfo('goes', 'bool', []), encodeInfo('value', 'float', [])],
          outputs: [encodeInfo('goesOn', 'bool', []), encodeInfo('more', 'float', [])],
        }),
      ),
    ]),
  ],
  outputs: [scalar],
});

/** The value above the limit is used as an index into a list of one. */
const throwing = encodeGraph({
  nodes: [
    encodeNode('Cast', ['highest'], 'index', [encodeIntAttribute('to', INT64)]),
    encodeNode('Gather', ['list', 'index'], 'result'),
  ],
  outputs: [scalar],
});

const TRAPS: Readonly<Record<Trap, Buffer>> = { throws: throwing, memory: allocation, bigMemory: allocation, loop };
