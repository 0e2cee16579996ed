import { toMessage } from '@perennial/kernel';
import { GRAPH_BYTES_MAX } from './limits.js';
import { type Field, readFields } from './protobuf.js';

/** Graphs within graphs (branches and loops); deeper ones could exhaust the stack of whoever reads them. */
const DEPTH_MAX = 16;
const NODES_MAX = 100_000;

/** Field numbers of onnx.proto: where graphs, nodes, attributes and tensors lie within each other. */
const MODEL = { graph: 7, functions: 25 } as const;
const GRAPH = { node: 1, initializer: 5, sparse: 15 } as const;
const FUNCTION = { node: 7 } as const;
const NODE = { attribute: 5 } as const;
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: 22, sparses: 23 } as const;
const SPARSE = { values: 1, indices: 2 } as const;
const TENSOR = { name: 8, external: 13, location: 14 } as const;
const LOCATION_EXTERNAL = 1;

/**
 * Why a file is not opened at all: what ONNX Runtime would accept or take long to reject, but no model for scoring needs.
 * All else (operators, types, shapes) is the runtime's to check, in a process with limits.
 */
export function listFileProblems(file: Buffer): string[] {
  if (file.length > GRAPH_BYTES_MAX) return [`it has ${file.length} bytes, ${GRAPH_BYTES_MAX} at most are allowed`];
  const found: Found = { nodes: 0, problems: new Set() };
  try {
    for (const { number, bytes } of messagesOf(file)) {
      if (number === MODEL.graph) visitGraph(bytes, found, 1);
      else if (number === MODEL.functions) visitNodes(bytes, FUNCTION.node, found, 1);
    }
  } catch (error) {
    // Rejected here, so that no file is read in one way by this check and in another by the runtime.
    return [`it is no ONNX file: ${toMessage(error)}`];
  }
  return [...found.problems];
}

interface Found {
  nodes: number;
  readonly problems: Set<string>;
}

function visitGraph(graph: Buffer, found: Found, depth: number): void {
  if (depth > DEPTH_MAX) {
    found.problems.add(`its graphs are nested more than ${DEPTH_MAX} deep`);
    return;
  }
  visitNodes(graph, GRAPH.node, found, depth);
  for (const { number, bytes } of messagesOf(graph)) {
    if (number === GRAPH.initializer) visitTensor(bytes, found);
    else if (number === GRAPH.sparse) visitSparse(bytes, found);
  }
}

function visitNodes(owner: Buffer, nodeField: number, found: Found, depth: number): void {
  for (const node of messagesOf(owner)) {
    if (node.number !== nodeField) continue;
    found.nodes++;
    if (found.nodes > NODES_MAX) {
      found.problems.add(`it has more than ${NODES_MAX} nodes`);
      return;
    }
    for (const { number, bytes } of messagesOf(node.bytes)) {
      if (number === NODE.attribute) visitAttribute(bytes, found, depth);
    }
  }
}

function visitAttribute(attribute: Buffer, found: Found, depth: number): void {
  for (const { number, bytes } of messagesOf(attribute)) {
    if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) visitGraph(bytes, found, depth + 1);
    else if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) visitTensor(bytes, found);
    else if (number === ATTRIBUTE.sparse || number === ATTRIBUTE.sparses) visitSparse(bytes, found);
  }
}

function visitSparse(sparse: Buffer, found: Found): void {
  for (const { number, bytes } of messagesOf(sparse)) {
    if (number === SPARSE.values || number === SPARSE.indices) visitTensor(bytes, found);
  }
}

/** Numbers in a file beside the graph: only the graph is registered, and a path could name any file of the machine. */
function visitTensor(tensor: Buffer, found: Found): void {
  const fields = [...readFields(tensor)];
  const isExternal = fields.some(
    ({ number, value }) => number === TENSOR.external || (number === TENSOR.location && value === LOCATION_EXTERNAL),
  );
  if (isExternal) found.problems.add('it keeps numbers in another file (external data): save it as one file');
}

function* messagesOf(bytes: Buffer): Generator<{ readonly number: number; readonly bytes: Buffer }> {
  for (const { number, bytes: content } of readFields(bytes) as Iterable<Field>) {
    if (content !== undefined) yield { number, bytes: content };
  }
}
