import { initials } from './format.js';

/** A picture of letters; the hue is made of the number, so that everybody has their own. */
export function Avatar(props: {
  readonly user: number;
  readonly name: string;
  readonly isOnline?: boolean;
  readonly small?: boolean;
}) {
  const { user, name } = props;
  return (
    <span class={`avatar hue-${user % 8}${props.small ? ' avatar-small' : ''}`} aria-hidden="true">
      {initials(name, user)}
      {props.isOnline === true && <span class="online-dot" />}
    </span>
  );
}
