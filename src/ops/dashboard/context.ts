import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Collector } from './collector.js';
import { Refused } from './operator-api.js';

export const CollectorContext = createContext<Collector | null>(null);

/** The page's collector; who uses it is drawn anew after each of its rounds. */
export function useCollector(): Collector {
  const collector = useContext(CollectorContext);
  if (collector === null) throw new Error('there is no collector around this component');
  return collector;
}

/** What an action answered, and what went wrong with the latest try. */
export interface Asked<T> {
  readonly answer: T | null;
  readonly error: string | null;
  /** The server does not know this action. */
  readonly isMissing: boolean;
  /** Asks now, not with the next round. */
  readonly again: () => void;
}

/**
 * Asks an action again and again, in step with the collector: while the tab is hidden nothing is asked.
 *
 * @param everyRounds in how many rounds of the collector it is asked once
 */
export function useAction<T>(name: string, params: object = {}, everyRounds = 1): Asked<T> {
  const collector = useCollector();
  const [answer, setAnswer] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [asks, setAsks] = useState(0);
  const key = JSON.stringify(params);
  const isMissing = collector.actions !== null && !collector.actions.has(name);
  const isKnown = collector.actions?.has(name) ?? false;

  // The key stands for the parameters.
  useEffect(() => {
    if (!isKnown) return;
    let isOver = false;
    let isAsking = false;
    let round = 0;
    const ask = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      try {
        const came = await collector.api.action<T>(name, params);
        if (isOver) return;
        setAnswer(came);
        setError(null);
      } catch (thrown) {
        // A round that got no answer says so in the head of the page.
        if (!isOver && thrown instanceof Refused && thrown.status !== 401) setError(thrown.message);
      } finally {
        isAsking = false;
      }
    };
    void ask();
    const stop = collector.watch(() => {
      if (collector.state === 'live' && ++round % everyRounds === 0) void ask();
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [collector, name, key, everyRounds, isKnown, asks]);

  return { answer, error, isMissing, again: () => setAsks((count) => count + 1) };
}
