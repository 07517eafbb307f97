import { useState } from 'preact/hooks';
import type { Column, GroupDescription } from '../../../metrics/reading.js';
import { useCollector } from '../context.js';
import { figure, words } from '../format.js';
import { Empty, Panel } from '../panel.js';
import { type Colour, Plot } from '../plot.js';

/** Rows of one plot; more lines cannot be told apart. */
const LINES_MAX = 8;

/** Every figure that the server has, group by group; pressing a column draws it. */
export function FiguresPage() {
  const { groups } = useCollector();
  if (groups.length === 0) return <Empty>This server tells no figures.</Empty>;
  return (
    <>
      {groups.map((group) => (
        <Group key={group.name} group={group} />
      ))}
    </>
  );
}

/** One group as a table: a row for each thing, or, of a group with one row, a row for each column. */
export function Group(props: { readonly group: GroupDescription; readonly title?: string }) {
  const { group } = props;
  const { samples } = useCollector();
  const [drawn, setDrawn] = useState<Column | null>(null);
  const instances = samples.instances(group.name);
  const value = (column: Column, instance: string) =>
    figure(
      samples.latest({ group: group.name, column: column.name, instance }),
      column.unit,
      column.kind === 'counter',
    );
  const head = (column: Column) => (
    <button
      type="button"
      class="plain"
      title={column.description}
      aria-pressed={drawn?.name === column.name}
      onClick={() => setDrawn(drawn?.name === column.name ? null : column)}
    >
      {words(column.name)}
    </button>
  );
  return (
    <Panel title={props.title ?? group.title} note={group.name}>
      {drawn === null ? null : (
        <Plot
          title={drawn.description}
          unit={drawn.unit}
          isRate={drawn.kind === 'counter'}
          least={0.001}
          lines={instances.slice(0, LINES_MAX).map((instance, index) => ({
            label: instance === '' ? words(drawn.name) : instance,
            colour: (index + 1) as Colour,
            selector: { group: group.name, column: drawn.name, instance },
          }))}
        />
      )}
      {instances.length === 0 ? (
        <Empty>Nothing there now.</Empty>
      ) : group.instance === null ? (
        <dl class="figures">
          {group.columns.map((column) => (
            <div key={column.name}>
              <dt>{head(column)}</dt>
              <dd>{value(column, '')}</dd>
            </div>
          ))}
        </dl>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
        <section class="scroll" aria-label={group.title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words(group.instance)}</th>
                {group.columns.map((column) => (
                  <th key={column.name} scope="col" class="number">
                    {head(column)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {instances.map((instance) => (
                <tr key={instance}>
                  <td>{instance}</td>
                  {group.columns.map((column) => (
                    <td key={column.name} class="number">
                      {value(column, instance)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Panel>
  );
}
