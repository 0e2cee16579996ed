/** An action that was decided for a user whom its record names. */
export interface DecidedAction {
  readonly actionId: string;
  readonly userId: string;
  readonly channel: string;
}

/** The newest actions of which anything is reported. */
const ACTIONS_MAX = 500;
/** Shares of reports; the others are outcomes. */
const SHARES = { contact: 0.1, consent: 0.15 };
/** Some more often than others: most actions are to stay allowed. */
const OUTCOMES = [
  ...['handed_over', 'delivered', 'delivered', 'delivered', 'opened', 'opened', 'clicked', 'converted'],
  ...['bounced', 'complained', 'unsubscribed', 'expired', 'skipped'],
];
const STATES = ['granted', 'granted', 'requested', 'withdrawn'];

/** What other systems report: what came of actions that were decided, contacts of their own, what people allow. */
export class Reports {
  readonly #random: () => number;
  #actions: DecidedAction[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Not of the hot user: of its messages not all are remembered, and a repeat of an outcome that is forgotten would be
   * published again with the state that the action has then.
   */
  note(action: DecidedAction): void {
    if (action.userId.startsWith('hot')) return;
    this.#actions.push(action);
    if (this.#actions.length > ACTIONS_MAX) this.#actions = this.#actions.slice(-ACTIONS_MAX / 2);
  }

  /** A report without message id and time; undefined while no action is known. */
  draw(): Record<string, unknown> | undefined {
    if (this.#actions.length === 0) return undefined;
    const { userId, channel, actionId } = this.#pick(this.#actions) as DecidedAction;
    const kind = this.#random();
    if (kind < SHARES.contact) return { type: 'contact', userId, channel };
    if (kind < SHARES.contact + SHARES.consent) {
      return { type: 'consent', userId, permissions: [{ channel, state: this.#pick(STATES) }] };
    }
    const outcome = this.#pick(OUTCOMES);
    const value = outcome === 'converted' ? { value: Math.round(this.#random() * 10_000) / 100 } : {};
    return { type: 'outcome', userId, actionId, outcome, ...value };
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}
