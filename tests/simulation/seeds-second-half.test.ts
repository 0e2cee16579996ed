import { describeWorlds } from './describe-worlds.js';

describeWorlds({ first: 1201 });
