export { loadModel, type Model } from './model.js';
export { EXECUTION_PROVIDERS, type ExecutionProvider } from './session.js';
