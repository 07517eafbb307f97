export { NameRegistry } from './name-registry.js';
