import { useAction } from './context.js';
import { duration, number, share } from './format.js';
import { numeric, Panel, Table } from './panel.js';
import { ReleaseOperations } from './release-operations.js';

/** What is read here of the figures of a version. */
interface Version {
  readonly number: number;
  readonly calls: number;
  readonly failures: number;
}

/** What is read here of the action `code-list`. */
interface CodeList {
  readonly modules: readonly {
    readonly module: string;
    readonly canaryShare: number;
    readonly current: Version;
    readonly canary: Version | null;
  }[];
  readonly probations: readonly { readonly number: number; readonly ageMs: number }[];
}

/** New versions that only some users have, beside what the others have; nothing when there are none. */
export function Canaries() {
  const { answer, again } = useAction<CodeList>('code-list');
  if (answer === null) return null;
  const { modules, probations } = answer;
  const canaries = modules.filter(({ canary }) => canary !== null);
  const note =
    probations.length === 0
      ? undefined
      : `On probation: ${probations.map(({ number, ageMs }) => `release ${number} for ${duration(ageMs)}`).join(', ')}`;
  if (canaries.length === 0) return note === undefined ? null : <p class="quiet">{note}.</p>;
  return (
    <Panel title="Canaries" note={note} tools={<ReleaseOperations ofCanaries onDone={again} />}>
      <Table
        label="Canaries"
        heads={[
          'Module',
          numeric('Version'),
          numeric('Of the users'),
          numeric('Calls'),
          numeric('Failed'),
          numeric('Beside version'),
          numeric('Calls'),
          numeric('Failed'),
        ]}
      >
        {canaries.map(({ module, canaryShare, canary, current }) => (
          <tr key={module}>
            <td>{module}</td>
            <td class="number">{canary!.number}</td>
            <td class="number">{share(canaryShare)}</td>
            <td class="number">{number(canary!.calls)}</td>
            <td class={canary!.failures > 0 ? 'number bad' : 'number'}>{number(canary!.failures)}</td>
            <td class="number">{current.number}</td>
            <td class="number">{number(current.calls)}</td>
            <td class="number">{number(current.failures)}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
