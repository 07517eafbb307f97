import { after } from 'node:test';
import { routerContract } from '../actors/router-contract.js';
import { RingWorlds } from './ring-pair.js';

const open: RingWorlds[] = [];
after(() => {
  for (const rings of open) rings.close();
});

routerContract('rings', () => {
  const rings = new RingWorlds(2);
  open.push(rings);
  const [here, there] = rings.worlds;
  return { worlds: [here!, there!], settle: () => rings.settle(), lose: () => rings.lose(1) };
});
