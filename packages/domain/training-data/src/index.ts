export {
  LABEL_DAYS,
  type OrderedHistory,
  type TrainingRow,
  toTrainingRows,
} from './training-rows.js';
