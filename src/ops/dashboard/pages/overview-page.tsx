import { ActiveAlerts } from '../active-alerts.js';
import { useCollector } from '../context.js';
import { bytes, clockTime, duration, number, share } from '../format.js';
import { numeric, Panel, Table, Tile } from '../panel.js';
import { Plot } from '../plot.js';
import type { Point } from '../samples.js';
import { Schedulers, STATES } from '../schedulers.js';

/** How the server is, at a glance. */
export function OverviewPage() {
  const { snapshot, samples, pins } = useCollector();
  if (snapshot === null) return null;
  const { connections, sessions, mailboxes, store, memory, locality } = snapshot;
  const rate = (group: string, column: string) => samples.latest({ group, column });
  const commits = rate('store', 'commits');
  const commands = rate('store', 'commands');
  return (
    <>
      <ActiveAlerts />
      <section class="tiles" aria-label="Now">
        <Tile
          name="Connections"
          value={number(connections.open)}
          note={`${number(sessions.online)} online, ${number(connections.refused)} refused`}
        />
        <Tile
          name="Accepted"
          value={perSecond(rate('chat', 'send_acks'))}
          note={`${number(snapshot.chat['sendAcks'] ?? 0)} in all`}
        />
        <Tile
          name="Delivered"
          value={perSecond(rate('chat', 'deliveries'))}
          note={`${number(snapshot.chat['deliveries'] ?? 0)} in all`}
        />
        <Tile
          name="In mailboxes"
          value={number(mailboxes.waiting)}
          note={`longest ${number(mailboxes.longest)}, ${number(mailboxes.processes)} processes`}
        />
        <Tile
          name="Commits"
          value={perSecond(commits)}
          note={
            store.failures > 0
              ? `${number(store.failures)} failed`
              : `${number(commits === null || commits === 0 ? 0 : (commands ?? 0) / commits)} commands each`
          }
          isBad={store.failures > 0}
        />
        <Tile
          name="Memory"
          value={bytes(memory.residentBytes)}
          note={`heaps ${bytes(samples.latest({ group: 'mem', column: 'heap_bytes' }))}`}
        />
        <Tile
          name="Waiting on disk"
          value={bytes(store.youngBytes)}
          note={`WAL ${bytes(store.walBytes)}, ring ${bytes(store.queuedBytes)}`}
        />
        <Tile
          name="Stayed at home"
          value={local(locality)}
          note={`${number(sessions.atHome)} users are at home`}
        />
      </section>
      <Schedulers />
      <div class="plots">
        <Plot
          title="Messages"
          unit="{message}"
          isRate
          least={10}
          lines={[
            { label: 'accepted', colour: 1, selector: { group: 'chat', column: 'send_acks' } },
            { label: 'delivered', colour: 2, selector: { group: 'chat', column: 'deliveries' } },
          ]}
        />
        <Plot
          title="Message queues"
          unit="{message}"
          least={10}
          lines={[
            { label: 'waiting', colour: 4, selector: { group: 'msgq', column: 'total' } },
            { label: 'longest', colour: 6, selector: { group: 'msgq', column: 'longest', over: 'max' } },
          ]}
        />
        <Plot
          title="Time of all threads"
          unit="ms"
          isRate
          isStacked
          least={1000}
          lines={STATES.map(({ column, label, colour }) => ({
            label,
            colour,
            selector: { group: 'sched', column },
          }))}
        />
        <Plot
          title="Garbage collection"
          unit="ms"
          isRate
          isStacked
          least={50}
          lines={[
            { label: 'young', colour: 5, selector: { group: 'gc', column: 'minor_ms' } },
            { label: 'full', colour: 2, selector: { group: 'gc', column: 'major_ms' } },
            { label: 'marking', colour: 6, selector: { group: 'gc', column: 'incremental_ms' } },
          ]}
        />
        <Plot
          title="Connections"
          unit="{connection}"
          least={10}
          lines={[{ label: 'open', colour: 3, selector: { group: 'conn', column: 'open' } }]}
        />
        <Plot
          title="Traffic"
          unit="By"
          isRate
          least={1024}
          lines={[
            { label: 'received', colour: 1, selector: { group: 'conn', column: 'bytes_in' } },
            { label: 'sent', colour: 3, selector: { group: 'conn', column: 'bytes_out' } },
          ]}
        />
        <Plot
          title="Memory"
          unit="By"
          least={64 * 1024 * 1024}
          lines={[
            { label: 'resident', colour: 4, selector: { group: 'mem', column: 'resident_bytes' } },
            { label: 'heaps', colour: 5, selector: { group: 'mem', column: 'heap_bytes' } },
          ]}
        />
      </div>
      {pins === null ? null : (
        <Panel
          title="Latest PINs"
          note="Shown because this is a development server: whoever sees them can register these numbers."
        >
          <Table label="Latest PINs" heads={['Number', 'PIN', 'Sent', 'Good until']}>
            {pins.length === 0 ? (
              <tr>
                <td colSpan={4} class="quiet">
                  none in the last minutes
                </td>
              </tr>
            ) : (
              pins.slice(0, 10).map(({ user, pin, sentAt, expiresAt }) => (
                <tr key={`${user} ${sentAt}`}>
                  <td>+{user}</td>
                  <td class="pin">{pin}</td>
                  <td>{clockTime(sentAt)}</td>
                  <td>{clockTime(expiresAt)}</td>
                </tr>
              ))
            )}
          </Table>
        </Panel>
      )}
      <Panel title="Threads">
        <Table
          label="Threads"
          heads={[
            'Thread',
            'State',
            numeric('Busy'),
            numeric('Heap'),
            numeric('Partitions'),
            numeric('Connections'),
          ]}
        >
          {snapshot.threads.map((thread) => (
            <tr key={thread.name}>
              <td>{thread.name}</td>
              <td class={thread.state === 'running' ? undefined : 'bad'}>{thread.state}</td>
              <td class="number">{share(thread.utilization)}</td>
              <td class="number">{bytes(thread.heapUsedBytes)}</td>
              <td class="number">{thread.partitions === undefined ? '' : number(thread.partitions)}</td>
              <td class="number">{thread.connections === undefined ? '' : number(thread.connections)}</td>
            </tr>
          ))}
        </Table>
      </Panel>
      <p class="quiet">
        Longest batch since the last look {duration(rate('store', 'batch_ms_max') ?? 0)}, largest{' '}
        {number(rate('store', 'batch_max') ?? 0)}.
      </p>
    </>
  );
}

function perSecond(value: Point): string {
  return value === null ? '–' : `${number(value)}/s`;
}

function local({ local, remote }: { readonly local: number; readonly remote: number }): string {
  return local + remote === 0 ? '–' : share(local / (local + remote));
}
