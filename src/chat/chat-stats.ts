/**
 * Plain counters of one scheduler's chat, incremented where things happen and read by whoever wants to know.
 * They only grow, except the gauges at the end.
 */
export class ChatStats {
  framesIn = 0;
  bytesIn = 0;
  sends = 0;
  sendAcks = 0;
  duplicates = 0;
  refused = 0;
  /** Refused because one before it was refused for now. */
  held = 0;
  deliveries = 0;
  /** Of them, those in pages that a session asked for; the others were pushed as they came. */
  deliveriesPulled = 0;
  /** Entries forwarded to sessions of the partition's own scheduler, and to those of others. */
  entriesLocal = 0;
  entriesRemote = 0;
  /** Entries of inboxes whose user was not online: they wait in the store. */
  entriesOffline = 0;
  /** Entries of inboxes whose user was online, but not so far yet: a page will have them. */
  entriesBehind = 0;
  receipts = 0;
  acks = 0;
  pulls = 0;
  pagesSent = 0;
  mores = 0;
  ephemeralsIn = 0;
  ephemeralsOut = 0;
  ephemeralsDropped = 0;
  requests = 0;
  errorsSent = 0;
  rateLimited = 0;
  attaches = 0;
  attachesRefused = 0;
  superseded = 0;
  registrations = 0;
  pinsSent = 0;
  pinsRefused = 0;
  storeFailures = 0;
  overloaded = 0;
  ackTimeouts = 0;
  slowConsumers = 0;
  /** Gauges. */
  sessions = 0;
  /** Users of this scheduler's partitions. */
  online = 0;
  /** Those of them whose session is on this scheduler, too. */
  atHome = 0;
}
