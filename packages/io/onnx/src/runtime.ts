// The order matters: the variable must be set before the library is loaded. So no other file imports onnxruntime-node.
import './telemetry-off.js';

export { InferenceSession, Tensor } from 'onnxruntime-node';
