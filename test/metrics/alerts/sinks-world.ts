import { Alarms } from '../../../src/actors/index.js';
import { alertTree } from '../../../src/app/alert-tree.js';
import { Alert } from '../../../src/metrics/alerts/alert.js';
import type { AlertSink } from '../../../src/metrics/alerts/alert-sink.js';
import { Supervisor } from '../../../src/supervisors/index.js';
import { World } from '../../actors/world.js';

/** An alarm handler with these sinks, as the server has them. */
export class SinksWorld {
  readonly world = new World();
  #lastId = 0;

  constructor(sinks: readonly AlertSink[]) {
    const { ok } = Supervisor.start(this.world.runtime, { children: [alertTree(sinks)] });
    this.world.runtime.flush();
    if (ok === undefined) throw new Error('the sinks do not start');
  }

  /** Raises an alert about a process, and lets the world come to rest. */
  raise(line = 'it is bad'): Alert {
    const alert = new Alert(++this.#lastId, 'mailbox', '<1.7>', 'worker', this.world.clock.wall());
    alert.line = line;
    alert.severity = 'critical';
    alert.rules.push('mailbox-length');
    alert.firing.add('mailbox-length');
    Alarms.set(this.world.runtime, { id: alert, description: line });
    this.world.runtime.flush();
    return alert;
  }

  clear(alert: Alert): void {
    alert.firing.clear();
    alert.clearedAt = this.world.clock.wall();
    Alarms.clear(this.world.runtime, alert);
    this.world.runtime.flush();
  }
}
