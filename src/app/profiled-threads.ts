import { join, resolve } from 'node:path';
import type { Profiles } from '../ops/profiles.js';
import { Answers } from './answers.js';
import type { OperatorParts } from './operator-actions.js';
import { OperatorProfiles, type ProfiledThread } from './operator-profiles.js';
import { registerProfiles } from './profile-answers.js';
import type { AskedThread } from './thread-questions.js';

/** In the data folder: heap snapshots. */
const FOLDER = 'profiles';

/** Profiles of all threads of the server. */
export function operatorProfiles(parts: OperatorParts): Profiles {
  const { clock, questions, config } = parts;
  const folder = join(resolve(config.dataFolder), FOLDER);
  return new OperatorProfiles({ clock, questions, threads: profiledThreads(parts), folder });
}

/** The threads of which there can be profiles, as they are whenever they are asked for: the main thread among them. */
function profiledThreads({
  clock,
  questions,
  schedulers,
  writer,
  processThreads,
}: OperatorParts): () => readonly ProfiledThread[] {
  const answers = new Answers((answer) => questions.arrived(answer));
  registerProfiles(answers, 'main', clock);
  const own: AskedThread = { running: true, post: (question) => answers.answer(question) };
  const unknown = async () => [];
  const main: ProfiledThread = {
    name: 'main',
    incarnation: 0,
    isScheduler: false,
    thread: own,
    stack: unknown,
  };
  const stackOf = (name: string) =>
    processThreads()
      .find((thread) => thread.name === name)
      ?.stack() ?? unknown();
  return () => [
    main,
    ...(writer.running
      ? [
          {
            name: writer.name,
            incarnation: writer.incarnation,
            isScheduler: false,
            thread: writer,
            stack: unknown,
          },
        ]
      : []),
    ...schedulers.all
      .filter(({ running }) => running)
      .map((thread) => ({
        name: thread.name,
        incarnation: thread.number,
        isScheduler: true,
        thread,
        stack: () => stackOf(thread.name),
      })),
  ];
}
