import { useCollector } from '../context.js';
import { NotAvailable, Panel } from '../panel.js';
import { Group } from './figures-page.js';

/** Modules that can be changed while the server runs: which versions live. */
export function CodePage() {
  const { groups } = useCollector();
  const group = groups.find(({ name }) => name === 'code');
  return group === undefined ? (
    <Panel title="Hot code">
      <NotAvailable what="Modules that change while they run are" />
    </Panel>
  ) : (
    <Group group={group} title="Hot code" />
  );
}
