import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { Panel } from './panel.js';

/** What goes wrong while a page is drawn is said in its place: the frame around it, and the other pages, go on. */
export function Guarded(props: { readonly title: string; readonly children: ComponentChildren }) {
  const [error, again] = useErrorBoundary();
  if (error === undefined) return <>{props.children}</>;
  return (
    <Panel
      title={props.title}
      tools={
        <button type="button" onClick={again}>
          Try again
        </button>
      }
    >
      <p class="empty bad" role="alert">
        This page cannot be drawn, perhaps because the server is another version than the page: reload it. (
        {error instanceof Error ? error.message : String(error)})
      </p>
    </Panel>
  );
}
