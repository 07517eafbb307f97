import { useCollector } from '../context.js';
import { bytes, duration, number } from '../format.js';
import { NotAvailable, Panel, Tile } from '../panel.js';
import { Plot } from '../plot.js';
import { Group } from './figures-page.js';

/** The store and its writer: what is committed, how long it takes, what waits. */
export function StorePage() {
  const { groups, samples, snapshot } = useCollector();
  const group = groups.find(({ name }) => name === 'store');
  if (group === undefined) {
    return (
      <Panel title="Store">
        <NotAvailable what="Figures of the store are" />
      </Panel>
    );
  }
  const store = (column: string) => ({ group: 'store', column });
  const commits = samples.latest(store('commits'));
  const commands = samples.latest(store('commands'));
  const failures = samples.figure(store('failures'));
  return (
    <>
      <section class="tiles" aria-label="Now">
        <Tile
          name="Commits"
          value={commits === null ? '–' : `${number(commits)}/s`}
          note={`${number(samples.figure(store('commits')))} in all`}
        />
        <Tile
          name="Commands in a commit"
          value={commits === null || commands === null || commits === 0 ? '–' : number(commands / commits)}
          note={`largest just now ${number(samples.latest(store('batch_max')))}`}
        />
        <Tile
          name="Longest commit"
          value={duration(samples.latest(store('batch_ms_max')))}
          note="of the last second"
        />
        <Tile
          name="Failed"
          value={number(failures)}
          note="commits since the start"
          isBad={(failures ?? 0) > 0}
        />
      </section>
      <div class="plots">
        <Plot
          title="Commits"
          unit="{commit}"
          isRate
          least={10}
          lines={[{ label: 'commits', colour: 1, selector: store('commits') }]}
        />
        <Plot
          title="Commands"
          unit="{command}"
          isRate
          least={10}
          lines={[{ label: 'commands', colour: 3, selector: store('commands') }]}
        />
        <Plot
          title="Longest commit"
          unit="ms"
          least={10}
          lines={[{ label: 'longest', colour: 2, selector: store('batch_ms_max') }]}
        />
        <Plot
          title="On disk, and on the way there"
          unit="By"
          least={1024 * 1024}
          lines={[
            { label: 'young', colour: 4, selector: store('young_bytes') },
            { label: 'WAL', colour: 5, selector: store('wal_bytes') },
            { label: 'queued', colour: 6, selector: store('queued_bytes') },
          ]}
        />
      </div>
      <Group group={group} title="All figures of the store" />
      <p class="quiet">
        Memory of the server {bytes(snapshot?.memory.residentBytes ?? null)}. The young generation is what
        came lately and waits for its users.
      </p>
    </>
  );
}
