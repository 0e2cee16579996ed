export { createTinyGraph, type TinyOutput } from './tiny-graph.js';
