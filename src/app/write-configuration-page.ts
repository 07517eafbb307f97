/** Renews docs/configuration.md from the table of settings. */
import { writeFileSync } from 'node:fs';
import { configurationPage } from './settings-help.js';

writeFileSync(new URL('../../../docs/configuration.md', import.meta.url), configurationPage());
