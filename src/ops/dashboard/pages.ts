import type { DashboardPage } from './page.js';
import { FiguresPage } from './pages/figures-page.js';
import { OverviewPage } from './pages/overview-page.js';

/** All pages, in the order of the menu. The first one is there when the address names none. */
export const PAGES: readonly DashboardPage[] = [
  { path: '', title: 'Overview', module: OverviewPage },
  { path: 'figures', title: 'All figures', module: FiguresPage },
];
