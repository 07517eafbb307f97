import { useCollector } from '../context.js';
import { NotAvailable, Panel } from '../panel.js';
import { type Colour, Plot } from '../plot.js';
import type { Samples } from '../samples.js';
import { Group } from './figures-page.js';

/** Rings whose lines are drawn: those that wait deepest. */
const LINES = 8;

/** The rings between threads: how much goes through, what waits in them, how often they were full. */
export function RingsPage() {
  const { groups, samples } = useCollector();
  const group = groups.find(({ name }) => name === 'ring');
  if (group === undefined) {
    return (
      <Panel title="Rings">
        <NotAvailable what="Figures of the rings are" />
      </Panel>
    );
  }
  const lines = (column: string) =>
    busiest(samples).map((instance, index) => ({
      label: instance.replaceAll('scheduler-', 's').replaceAll('writer-', 'w'),
      colour: (index + 1) as Colour,
      selector: { group: 'ring', column, instance },
    }));
  return (
    <>
      <div class="plots">
        <Plot title="Publishes" unit="{publish}" isRate least={10} lines={lines('publishes')} />
        <Plot title="Waiting in the rings" unit="By" least={4096} lines={lines('depth_bytes')} />
      </div>
      <Group group={group} />
    </>
  );
}

/** In the order of their names, so that a line keeps its colour. */
function busiest(samples: Samples): string[] {
  const total = (instance: string) => samples.figure({ group: 'ring', column: 'publishes', instance }) ?? 0;
  return samples
    .instances('ring')
    .sort((a, b) => total(b) - total(a))
    .slice(0, LINES)
    .sort();
}
