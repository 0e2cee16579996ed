export { type PowerPlan, type PowerQuestion, planPersons } from './power.js';
export { type Figures, simulateFigures } from './simulate/figures.js';
