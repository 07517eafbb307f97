import type { Silence, Silences } from '../metrics/alerts/silences.js';
import type { SilenceKeeper } from '../ops/actions/alert-actions.js';

/** Keeps silences as long as the server runs. */
export function keepInMemory(silences: Silences, changed: () => void): SilenceKeeper {
  return {
    async add(draft) {
      const silence: Silence = { ...draft, id: silences.nextId };
      silences.put(silence);
      changed();
      return silence;
    },
    async remove({ id }) {
      silences.remove(id);
      changed();
    },
  };
}
