import { useEffect, useRef } from 'preact/hooks';

/** Asks for the token. */
export function Login(props: { readonly isRefused: boolean; readonly onToken: (token: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <form
      id="login"
      class="panel login"
      onSubmit={(event) => {
        event.preventDefault();
        const field = input.current!;
        const token = field.value.trim();
        field.value = '';
        if (token !== '') props.onToken(token);
      }}
    >
      <h2>Operator’s token</h2>
      <p>
        It was printed in the log when this server first started. For a new one run{' '}
        <code>rookery operator-token</code>, and start the server again.
      </p>
      <label for="token">Token</label>
      <div class="row">
        <input id="token" ref={input} type="password" autocomplete="current-password" required />
        <button type="submit">Open</button>
      </div>
      <p id="refused" class="bad" role="alert" hidden={!props.isRefused}>
        That is not the token.
      </p>
    </form>
  );
}
