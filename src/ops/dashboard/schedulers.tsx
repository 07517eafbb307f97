import { Fragment } from 'preact';
import { useCollector } from './context.js';
import { share } from './format.js';
import { Panel } from './panel.js';
import type { Colour } from './plot.js';

/** Columns of `sched` that count the time in a state, with their names here. What is left of the time is idle. */
export const STATES: readonly { readonly column: string; readonly label: string; readonly colour: Colour }[] =
  [
    { column: 'handlers_ms', label: 'handlers', colour: 1 },
    { column: 'io_ms', label: 'socket I/O', colour: 3 },
    { column: 'timers_ms', label: 'timers', colour: 4 },
    { column: 'gc_ms', label: 'GC', colour: 2 },
  ];

interface Bar {
  readonly name: string;
  readonly isRunning: boolean;
  readonly parts: readonly { readonly colour: Colour; readonly share: number }[];
  readonly busy: number;
}

/** How each scheduler spends its time: one bar for each. */
export function Schedulers() {
  const { snapshot, samples } = useCollector();
  if (snapshot === null) return null;
  const known = STATES.filter(({ column }) => samples.has({ group: 'sched', column }));
  const bars = snapshot.threads.map((thread): Bar => {
    const parts = known.flatMap(({ column, colour }) => {
      const ms = samples.latest({ group: 'sched', column, instance: thread.name });
      return ms === null ? [] : [{ colour, share: Math.min(1, ms / 1000) }];
    });
    if (parts.length === 0) parts.push({ colour: 1, share: thread.utilization });
    return {
      name: thread.name,
      isRunning: thread.state === 'running',
      parts,
      busy: Math.min(
        1,
        parts.reduce((sum, part) => sum + part.share, 0),
      ),
    };
  });
  const legend = known.length === 0 ? [{ label: 'busy', colour: 1 as Colour }] : known;
  return (
    <Panel title="Schedulers" note="How their time is spent">
      <div class="states">
        {bars.map(({ name, isRunning, parts, busy }) => (
          <Fragment key={name}>
            <span class={isRunning ? undefined : 'bad'}>{name}</span>
            <span class="bar" role="img" aria-label={`${name}: ${share(busy)} busy`}>
              {parts.map(({ colour, share: width }) => (
                <i key={colour} class={`c${colour}`} style={{ width: `${width * 100}%` }} />
              ))}
            </span>
            <span class="number">{isRunning ? share(busy) : '–'}</span>
          </Fragment>
        ))}
      </div>
      <ul class="legend">
        {legend.map(({ label, colour }) => (
          <li key={label}>
            <i class={`swatch c${colour}`} />
            {label}
          </li>
        ))}
        <li>
          <i class="swatch c8" />
          idle
        </li>
      </ul>
    </Panel>
  );
}
