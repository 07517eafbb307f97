import type { ComponentChildren } from 'preact';

/** A titled part of a page. */
export function Panel(props: {
  readonly title: string;
  readonly note?: string | undefined;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>{props.title}</h2>
        {props.note === undefined ? null : <p class="quiet">{props.note}</p>}
        {props.tools === undefined ? null : <div class="tools">{props.tools}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** In the place of something that this server cannot tell. */
export function NotAvailable(props: { readonly what: string }) {
  return <p class="empty">{props.what} not available on this server.</p>;
}

export function Empty(props: { readonly children: ComponentChildren }) {
  return <p class="empty">{props.children}</p>;
}

/** A table that scrolls for itself where there is no room. */
export function Table(props: {
  readonly label: string;
  readonly heads: readonly (string | { readonly text: string; readonly isNumber: true })[];
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class="scroll" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.heads.map((head) =>
              typeof head === 'string' ? (
                <th key={head} scope="col">
                  {head}
                </th>
              ) : (
                <th key={head.text} scope="col" class="number">
                  {head.text}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}

export function numeric(text: string): { readonly text: string; readonly isNumber: true } {
  return { text, isNumber: true };
}

/** A big figure with its name and a note. */
export function Tile(props: {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
  readonly isBad?: boolean;
}) {
  return (
    <dl class={props.isBad === true ? 'tile bad' : 'tile'}>
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        <small>{props.note ?? ''}</small>
      </dd>
    </dl>
  );
}
