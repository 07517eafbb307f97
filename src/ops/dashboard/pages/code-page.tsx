import { Canaries } from '../canaries.js';
import { useAction, useCollector } from '../context.js';
import { dayAndTime } from '../format.js';
import { Empty, NotAvailable, numeric, Panel, Table } from '../panel.js';
import { BackTo, ReleaseOperations } from '../release-operations.js';
import { Group } from './figures-page.js';

const ROUNDS = 5;
const SHOWN = 50;

/** What the page reads of the action `code-history`. */
interface Release {
  readonly number: number;
  readonly kind: string;
  readonly modules: readonly { readonly module: string; readonly version: number }[];
  readonly author: string;
  readonly message: string;
  readonly at: number;
  /** Of what the server did by itself: why. */
  readonly evidence?: string;
}

/** Modules that can be changed while the server runs: which versions live, what was released, and the way back. */
export function CodePage() {
  const { groups } = useCollector();
  const group = groups.find(({ name }) => name === 'code');
  return (
    <>
      {group === undefined ? (
        <Panel title="Modules">
          <NotAvailable what="Modules that change while they run are" />
        </Panel>
      ) : (
        <Group group={group} title="Modules" />
      )}
      <Canaries />
      <Releases />
    </>
  );
}

function Releases() {
  const { answer, error, isMissing, again } = useAction<readonly Release[]>('code-history', {}, ROUNDS);
  if (isMissing) return null;
  const releases = [...(answer ?? [])].reverse().slice(0, SHOWN);
  return (
    <Panel title="Releases" tools={releases.length === 0 ? undefined : <ReleaseOperations onDone={again} />}>
      {answer === null ? (
        <Empty>{error ?? '…'}</Empty>
      ) : releases.length === 0 ? (
        <Empty>The server runs what it was started with. rookery code load FILE changes that.</Empty>
      ) : (
        <Table label="Releases" heads={[numeric('Release'), 'When', 'What', 'Modules', 'By', 'Why', '']}>
          {releases.map((release, index) => (
            <tr key={release.number}>
              <td class="number">{release.number}</td>
              <td>{dayAndTime(release.at)}</td>
              <td>{release.kind}</td>
              <td>{release.modules.map(({ module, version }) => `${module} ${version}`).join(', ')}</td>
              <td>{release.author}</td>
              <td class="long">{release.evidence ?? release.message}</td>
              <td>{index === 0 ? null : <BackTo release={release.number} onDone={again} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
