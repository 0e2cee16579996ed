/*
 * Loaded into the services of a chaos run (`node --import`): changes the text of modules as they are loaded, as
 * CHAOS_PATCHES says, so that a run can break a rule, or be of another version, with nothing of it in what ships.
 */
import { register } from 'node:module';

const patches = process.env.CHAOS_PATCHES;
if (patches !== undefined) register('./patch-loader.mjs', import.meta.url, { data: JSON.parse(patches) });
