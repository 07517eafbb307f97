import type { ClientState } from '../../client/index.js';
import type { Contact } from './chat-session.js';
import type { EditedLine } from './line-editor.js';
import type { ChatLine } from './transcript.js';

/** Everything that the screen shows. */
export interface ScreenModel {
  readonly stage: 'phone' | 'name' | 'pin' | 'chat';
  readonly user: number | null;
  readonly state: ClientState;
  /** Wall-clock ms. */
  readonly now: number;
  readonly contacts: readonly Contact[];
  /** The open conversation. */
  readonly peer: Contact | null;
  readonly lines: readonly ChatLine[];
  /** Lines of the screen that the conversation is scrolled back by. */
  readonly scrolledBack: number;
  readonly input: EditedLine;
  /** The answer to the last command. */
  readonly notice: string;
  readonly isHelpShown: boolean;
}

/** What is put on the screen, and where the cursor stands: column and row from 0. */
export interface Picture {
  /** Styled, each exactly as wide as the screen or less. */
  readonly rows: readonly string[];
  readonly cursor: { readonly column: number; readonly row: number };
}
