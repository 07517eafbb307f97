import { RingRouter, type RingRouterOptions, SchedulerPool } from '../../src/schedulers/index.js';
import { World } from '../actors/world.js';

/** Schedulers 0, 1, … in one thread, each over a simulated clock, joined by real rings. */
export class RingWorlds {
  readonly pool: SchedulerPool;
  readonly worlds: World[] = [];
  readonly routers: RingRouter[] = [];
  readonly #options: Partial<RingRouterOptions>;

  constructor(count: number, options: Partial<RingRouterOptions> & { readonly ringBytes?: number } = {}) {
    const { ringBytes = 64 * 1024, ...router } = options;
    this.#options = router;
    this.pool = new SchedulerPool({ ringBytes });
    for (let place = 0; place < count; place++) this.open(place);
  }

  /** Starts a scheduler at a place; one that was there before is closed. */
  open(place: number): World {
    const before = this.routers[place];
    const links = this.pool.open(place);
    before?.close();
    const router = new RingRouter({ links, ...this.#options });
    const world = new World({ scheduler: links.number, router, names: router.names });
    this.worlds[place] = world;
    this.routers[place] = router;
    router.start(world.runtime);
    return world;
  }

  /** The scheduler at a place ends without a word. */
  lose(place: number): void {
    this.routers[place]!.close();
    this.pool.close(this.routers[place]!.links.number);
  }

  /** Until nothing runs and nothing is under way. */
  settle(): void {
    let moved: boolean;
    do {
      for (const world of this.worlds) world.runtime.flush();
      moved = false;
      for (const router of this.routers) if (router.look()) moved = true;
    } while (moved);
  }

  close(): void {
    for (const router of this.routers) router.close();
  }
}
