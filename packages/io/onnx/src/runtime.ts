// The order matters: the variable has to be there when the library is loaded. So nothing else imports onnxruntime-node.
import './telemetry-off.js';

export { InferenceSession, Tensor } from 'onnxruntime-node';
