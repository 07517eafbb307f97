import { Groups, type GroupsOptions } from '../../metrics/groups.js';
import { osGroups } from '../../metrics/os/os-groups.js';
import type { SchedulerThreads } from '../scheduler-threads.js';
import { FiguresOfThreads } from '../server-figures.js';
import type { ThreadQuestions } from '../thread-questions.js';
import type { WriterThread } from '../writer-thread.js';
import { chatGroup } from './chat-group.js';
import { connGroup } from './conn-group.js';
import { memGroup } from './mem-group.js';
import { storeGroup } from './store-group.js';

export interface ServerGroupsParts extends GroupsOptions {
  readonly questions: ThreadQuestions;
  readonly schedulers: SchedulerThreads;
  readonly writer: WriterThread;
}

/** All figures that the server has of itself. Sources of other groups are added here, one line each. */
export function serverGroups(parts: ServerGroupsParts): Groups {
  const threads = new FiguresOfThreads(parts.questions, parts.schedulers.all, parts.writer);
  const groups = new Groups(parts)
    .add(memGroup(threads))
    .add(connGroup(threads))
    .add(storeGroup(threads))
    .add(chatGroup(threads));
  for (const source of osGroups(parts.clock, process.pid)) groups.add(source);
  return groups;
}
