import type { DashboardPage } from './page.js';
import { AlertsPage } from './pages/alerts-page.js';
import { CodePage } from './pages/code-page.js';
import { FiguresPage } from './pages/figures-page.js';
import { KnobsPage } from './pages/knobs-page.js';
import { OverviewPage } from './pages/overview-page.js';
import { PartitionsPage } from './pages/partitions-page.js';
import { ProcessesPage } from './pages/processes-page.js';
import { RingsPage } from './pages/rings-page.js';
import { StorePage } from './pages/store-page.js';
import { TimePage } from './pages/time-page.js';

/** All pages, in the order of the menu. The first one is there when the address names none. */
export const PAGES: readonly DashboardPage[] = [
  { path: '', title: 'Overview', module: OverviewPage },
  { path: 'processes', title: 'Processes', module: ProcessesPage },
  { path: 'alerts', title: 'Alerts', module: AlertsPage },
  { path: 'partitions', title: 'Partitions', module: PartitionsPage },
  { path: 'store', title: 'Store', module: StorePage },
  { path: 'rings', title: 'Rings', module: RingsPage },
  { path: 'time', title: 'Time', module: TimePage },
  { path: 'code', title: 'Hot code', module: CodePage },
  { path: 'knobs', title: 'Knobs', module: KnobsPage },
  { path: 'figures', title: 'All figures', module: FiguresPage },
];
