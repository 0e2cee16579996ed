export { assign, layOutTraffic } from './assign.js';
export { type Arm, type Assignment, type Experiment, LEARNING_ARMS } from './experiment.js';
export { type PowerPlan, type PowerQuestion, planPersons } from './power.js';
export { type ExperimentReport, type Metric, type Observed, reportExperiment } from './report.js';
export { type Figures, simulateFigures } from './simulate/figures.js';
