import { href } from './route.js';

/** A process by its label, leading to the page about it. */
export function ProcessLink(props: { readonly pid: string; readonly label: string }) {
  return (
    <a class="process" href={href('processes', props.pid)}>
      {props.label}
      <span class="mono quiet">{props.pid}</span>
    </a>
  );
}
