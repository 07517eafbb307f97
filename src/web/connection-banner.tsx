import { useEffect, useState } from 'preact/hooks';
import type { Chat } from './chat.js';
import { CloudOffIcon } from './icons.js';

/** A pause this short is not worth a word. */
const UNNOTICED_MS = 900;

/** Says when the connection is away, and when it will be tried again. */
export function ConnectionBanner(props: { readonly chat: Chat }) {
  const { state } = props.chat;
  const isAway = state.kind === 'waiting' || state.kind === 'connecting' || state.kind === 'idle';
  const [isShown, setShown] = useState(false);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isAway) {
      setShown(false);
      return;
    }
    const show = setTimeout(() => setShown(true), UNNOTICED_MS);
    const tick = setInterval(() => setNow(Date.now()), 500);
    return () => {
      clearTimeout(show);
      clearInterval(tick);
    };
  }, [isAway]);
  if (!isAway || !isShown) return null;
  const seconds = state.kind === 'waiting' ? Math.ceil((state.retryAt - now) / 1000) : 0;
  return (
    <div class="banner" role="status">
      <CloudOffIcon />
      <span>
        {seconds > 0 ? (
          <>
            No connection. <span aria-hidden="true">Next try in {seconds} s.</span>
          </>
        ) : (
          'Connecting…'
        )}
      </span>
      {seconds > 1 && (
        <button type="button" class="link" onClick={() => props.chat.retryNow()}>
          Try now
        </button>
      )}
    </div>
  );
}
