/*
 * Loaded into the services of a chaos run (`node --require`): SIGUSR2 sets this process's wall clock a day ahead, the next
 * one a day back, the next one correct again. Timers and performance.now() continue as they do on a real host.
 */
const DAY_MS = 86_400_000;
const SHIFTS_MS = [0, DAY_MS, -DAY_MS];
const RealDate = Date;
let turn = 0;

class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(ShiftedDate.now());
    else super(...parts);
  }

  static now() {
    return RealDate.now() + SHIFTS_MS[turn % SHIFTS_MS.length];
  }
}

globalThis.Date = ShiftedDate;
process.on('SIGUSR2', () => {
  turn++;
});
