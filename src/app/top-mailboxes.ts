import type { MailboxReport } from '../actors/mailbox-report.js';
import type { TopParams } from './mailbox-answers.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** The mailboxes of all schedulers together. */
export interface TopMailboxes {
  /** The most first. */
  readonly mailboxes: readonly MailboxReport[];
  /** Names of schedulers that did not answer. */
  readonly silent: readonly string[];
}

/** Asks all schedulers by the topic `top`. Throws a QuestionFailed for parameters that make no sense. */
export async function topOfAll(
  questions: ThreadQuestions,
  schedulers: readonly (AskedThread & { readonly name: string })[],
  params: TopParams,
): Promise<TopMailboxes> {
  const answers = await Promise.all(
    schedulers.map((scheduler) => questions.ask<MailboxReport[]>(scheduler, 'top', params)),
  );
  const figure = FIGURES[params.by];
  const mailboxes = answers.flatMap((answer) => answer ?? []);
  mailboxes.sort((a, b) => figure(b) - figure(a));
  return {
    mailboxes: mailboxes.slice(0, params.count),
    silent: schedulers.filter((_, index) => answers[index] === null).map(({ name }) => name),
  };
}

const FIGURES: Readonly<Record<TopParams['by'], (report: MailboxReport) => number>> = {
  length: ({ length }) => length,
  rate: ({ outRate }) => outRate.per10,
  delay: ({ oldestMs }) => oldestMs,
};
