import { ScenarioError } from './errors.js';
import { encode, isObject, type Json, type JsonObject } from './json.js';
import { OPERATIONS } from './operations/index.js';
import { spawnPuppet } from './operations/processes.js';
import { World } from './world.js';

/** Runs a scenario and returns its trace, laid out as the format says. */
export function traceOf(scenario: JsonObject): string {
  const head = ['name', 'otp', 'needs']
    .filter((key) => scenario[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${encode(scenario[key]!)},`)
    .join('');
  try {
    return `{${head}\n "steps":[\n${runSteps(scenario).join(',\n')}\n]}`;
  } catch (thrown) {
    const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return `{${head}"error":${JSON.stringify(message)},\n "steps":[\n\n]}`;
  }
}

function runSteps(scenario: JsonObject): string[] {
  const steps = scenario['steps'];
  if (!Array.isArray(steps)) throw new ScenarioError('a scenario needs a list of steps');
  const world = new World(OPERATIONS);
  const main = spawnPuppet(world, 'main', undefined, {});
  world.runtime.flush();
  if (!world.runtime.isAlive(main)) throw new ScenarioError('main could not be started');
  world.takeEvents();
  return (steps as readonly Json[]).map((step) => runStep(world, step));
}

function runStep(world: World, step: Json): string {
  const operation = (isObject(step) ? step['op'] : step) as readonly Json[] | undefined;
  if (!Array.isArray(operation) || typeof operation[0] !== 'string') {
    throw new ScenarioError(`not a step: ${JSON.stringify(step)}`);
  }
  const [label, ...what] = operation as unknown as readonly [string, ...Json[]];
  const result = label === 'driver' ? drive(world, what) : instruct(world, label, what);
  if (world.failure !== null) throw world.failure;
  const fields = [`"step":${encode(operation)}`];
  if (isObject(step)) {
    for (const tag of Object.keys(step).sort()) {
      if (tag !== 'op') fields.push(`${JSON.stringify(tag)}:${encode(step[tag]!)}`);
    }
  }
  fields.push(`"result":${encode(result)}`);
  const events = world.takeEvents();
  if (Object.keys(events).length > 0) fields.push(`"events":${encode(events)}`);
  const marks = world.takeMarks();
  if (marks.length > 0) fields.push(`"marks":${encode(marks)}`);
  return `  {${fields.join(',')}}`;
}

function drive(world: World, [name, argument]: readonly Json[]): Json {
  switch (name) {
    case 'spawn': {
      const pid = spawnPuppet(world, String(argument), undefined, {});
      world.runtime.flush();
      return world.toJson(pid);
    }
    case 'sleep':
      if (typeof argument !== 'number') throw new ScenarioError(`cannot sleep ${JSON.stringify(argument)}`);
      world.sleep(argument);
      return 'ok';
    case 'alive': {
      const pid = world.toTerm(argument!);
      return world.runtime.isAlive(pid as never);
    }
    default:
      throw new ScenarioError(`unknown op of the driver: ${JSON.stringify(name)}`);
  }
}

function instruct(world: World, label: string, operation: readonly Json[]): Json {
  const pid = world.pid(label);
  if (!world.runtime.isAlive(pid)) return { dead: true };
  const order = world.puppets.order(pid, operation);
  world.runtime.flush();
  if (order.result !== undefined) return world.resultJson(order.result.value);
  order.late = true;
  return world.runtime.isAlive(pid) ? { pending: true } : { died: true };
}
