import { useEffect, useRef, useState } from 'preact/hooks';
import type { PinChallenge } from '../client/browser.js';
import { parsePhone } from '../protocol/phone.js';
import { type Chat, errorText } from './chat.js';
import { phoneText } from './format.js';
import { Logo } from './icons.js';

/** Number, then name and PIN. */
export function Registration(props: { readonly chat: Chat; readonly phone: number | null }) {
  const { chat } = props;
  const [phoneInput, setPhoneInput] = useState(props.phone === null ? '' : `+${props.phone}`);
  const [name, setName] = useState(chat.name);
  const [pin, setPin] = useState('');
  const [asked, setAsked] = useState<{ phone: number; challenge: PinChallenge; at: number } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [now, setNow] = useState(() => Date.now());
  const phoneField = useRef<HTMLInputElement>(null);
  const nameField = useRef<HTMLInputElement>(null);
  const pinField = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (asked === null) phoneField.current?.focus();
    else (name === '' ? nameField : pinField).current?.focus();
  }, [asked]);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);

  async function attempt(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(errorText(error));
    } finally {
      setBusy(false);
    }
  }

  function askForPin(phone: number): Promise<void> {
    return attempt(async () => {
      const challenge = await chat.register(phone);
      setPin('');
      setNow(Date.now());
      setAsked({ phone, challenge, at: Date.now() });
    });
  }

  function submitPhone(event: Event): void {
    event.preventDefault();
    const phone = parsePhone(phoneInput);
    if (phone === null) {
      setProblem('Enter your number with its country code: +49 170 000 0001');
      phoneField.current?.focus();
      return;
    }
    void askForPin(phone);
  }

  function submitPin(event: Event): void {
    event.preventDefault();
    if (asked === null) return;
    void attempt(async () => {
      try {
        await chat.verify(asked.phone, pin.trim(), name);
      } catch (error) {
        setPin('');
        pinField.current?.focus();
        throw error;
      }
    });
  }

  const resendInS = asked === null ? 0 : Math.ceil((asked.at + asked.challenge.resendAfterMs - now) / 1000);
  return (
    <main class="welcome">
      <div class="card">
        <Logo size={64} />
        <h1>Rookery</h1>
        {asked === null ? (
          <form key="phone" onSubmit={submitPhone}>
            <p class="lead">Messages that arrive. Register with your phone number to begin.</p>
            <label>
              Phone number
              <input
                ref={phoneField}
                type="tel"
                name="phone"
                autocomplete="tel"
                placeholder="+49 170 000 0001"
                value={phoneInput}
                onInput={(event) => setPhoneInput(event.currentTarget.value)}
                aria-describedby="problem"
                required
              />
            </label>
            <Problem text={problem} />
            <button type="submit" class="primary" disabled={isBusy}>
              {isBusy ? 'Asking…' : 'Send me a PIN'}
            </button>
          </form>
        ) : (
          <form key="pin" onSubmit={submitPin}>
            <p class="lead">
              A PIN of {asked.challenge.digits} digits is on its way to{' '}
              <strong class="nowrap">{phoneText(asked.phone)}</strong>.
            </p>
            <label>
              Your name
              <input
                ref={nameField}
                type="text"
                name="name"
                autocomplete="name"
                maxLength={40}
                placeholder="As others see it"
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </label>
            <label>
              PIN
              <input
                ref={pinField}
                class="pin"
                type="text"
                name="pin"
                inputMode="numeric"
                autocomplete="one-time-code"
                maxLength={6}
                pattern="[0-9]{5,6}"
                value={pin}
                onInput={(event) => setPin(event.currentTarget.value.replace(/\D/g, ''))}
                aria-describedby="problem pin-hint"
                required
              />
            </label>
            <Problem text={problem} />
            <button type="submit" class="primary" disabled={isBusy || pin.length < 5}>
              {isBusy ? 'Checking…' : 'Register'}
            </button>
            <p class="row">
              <button
                type="button"
                class="link"
                onClick={() => {
                  setProblem(null);
                  setAsked(null);
                }}
              >
                Change number
              </button>
              <button
                type="button"
                class="link"
                disabled={isBusy || resendInS > 0}
                onClick={() => void askForPin(asked.phone)}
              >
                {resendInS > 0 ? `Another PIN in ${resendInS} s` : 'Send another PIN'}
              </button>
            </p>
            <p class="hint" id="pin-hint">
              Trying Rookery on your own machine? Without an SMS gateway the server prints the PIN in its log
              and shows it on the operator’s page.
            </p>
          </form>
        )}
      </div>
    </main>
  );
}

function Problem(props: { readonly text: string | null }) {
  return (
    <p class="problem" id="problem" role="alert">
      {props.text}
    </p>
  );
}
