import { TestEnvironment } from 'jest-environment-node';

const SHARED = [
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Uint16Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
];

/**
 * Jest gives each test file its own built-ins. ONNX Runtime's native part creates typed arrays of the main context, and
 * its JavaScript part checks them against those of the test file: so both must be the same.
 */
export default class PerennialEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
}
