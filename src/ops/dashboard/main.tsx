import { render } from 'preact';
import { App } from './app.js';
import { Collector } from './collector.js';
import { OperatorApi } from './operator-api.js';
import { storedName } from './stored-name.js';
import { StoredToken } from './stored-token.js';

const token = new StoredToken();
const collector = new Collector(new OperatorApi(token, storedName), token);
render(<App collector={collector} />, document.getElementById('root')!);
collector.start();
