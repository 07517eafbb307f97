import type { ComponentType } from 'preact';

/** A page of the dashboard. Pages are plug-ins: {@link PAGES} lists them, and nothing else knows one. */
export interface DashboardPage {
  /** In the address behind `#/`. */
  readonly path: string;
  readonly title: string;
  /** `rest`: what stands in the address behind the path. */
  readonly module: ComponentType<{ readonly rest: string }>;
}
