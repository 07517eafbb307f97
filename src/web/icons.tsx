import type { MessageStatus } from '../client/browser.js';

/** Inline pictures: they take the colour of the text around them. Hidden from screen readers, which get words. */
function Icon(props: { readonly path: string; readonly size?: number; readonly weight?: number }) {
  const { path, size = 20, weight = 2 } = props;
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={weight}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}

export const SendIcon = () => <Icon path="M4 12h14M12 5l7 7-7 7" size={22} />;
export const BackIcon = () => <Icon path="M15 5l-7 7 7 7" size={22} />;
export const SearchIcon = () => <Icon path="M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4" size={18} />;
export const PlusIcon = () => <Icon path="M12 5v14M5 12h14" />;
export const MoreIcon = () => <Icon path="M12 5v.01M12 12v.01M12 19v.01" weight={3.2} />;
export const CloudOffIcon = () => (
  <Icon path="M3 3l18 18M9.5 5.2A7 7 0 0 1 18.6 10 4.5 4.5 0 0 1 21 17M6.5 8.5A5 5 0 0 0 7 19h10" size={18} />
);
export const AlertIcon = () => (
  <Icon path="M12 8v5M12 16.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z" size={16} />
);

/** The rook, on its square. */
export function Logo(props: { readonly size: number }) {
  return (
    <svg class="logo" width={props.size} height={props.size} viewBox="0 0 48 48" aria-hidden="true">
      <rect width="48" height="48" rx="12" class="logo-square" />
      <path
        class="logo-rook"
        d="M14 11h5v4h3v-4h4v4h3v-4h5v9l-3.5 3 1.5 10h2.5v4h-21v-4h2.5L17.5 23 14 20z"
      />
    </svg>
  );
}

const STATUS_WORDS: Record<MessageStatus, string> = {
  queued: 'Waiting to be sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Not sent',
};

/** Clock, ✓, ✓✓, coloured ✓✓: with the word for those who do not see them. */
export function Checkmarks(props: { readonly status: MessageStatus }) {
  const { status } = props;
  return (
    <span class={`checks checks-${status}`} data-status={status} title={STATUS_WORDS[status]}>
      <svg width="18" height="12" viewBox="0 0 18 12" fill="none" stroke="currentColor" aria-hidden="true">
        {status === 'queued' && (
          <path d="M9 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM9 3.5V6l1.7 1" stroke-width="1.3" />
        )}
        {status === 'failed' && <path d="M9 2v5M9 9.6v.1" stroke-width="1.8" stroke-linecap="round" />}
        {status === 'sent' && <path d="M4.5 6.5l3 3 6-7" stroke-width="1.6" stroke-linecap="round" />}
        {(status === 'delivered' || status === 'read') && (
          <path d="M1.5 6.5l3 3 6-7M8 8.6l.9.9 6-7" stroke-width="1.6" stroke-linecap="round" />
        )}
      </svg>
      <span class="hidden-words">{STATUS_WORDS[status]}</span>
    </span>
  );
}
