import { dropWhere, type Step, type StepContext } from './step.js';

/** Those whose condition holds now, and that speak the user's language. */
export const eligible: Step = (context, open) =>
  dropWhere(open, ({ when, languages }) => {
    if (when?.test(context.values()) === false) return 'condition_false';
    return languages === undefined || speaks(context, languages) ? undefined : 'other_language';
  });

/** `zh` of `zh-CN`; nobody knows the language of a user without one. */
function speaks({ policy, values }: StepContext, languages: ReadonlySet<string>): boolean {
  const language = policy.languageSlot === undefined ? undefined : values()[policy.languageSlot];
  return typeof language === 'string' && languages.has((language.split(/[-_]/)[0] ?? '').toLowerCase());
}
