import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { holdLock } from './locks.ts';
import { requestName } from './protocol.ts';
import { registerServiceWorker, type PendingUpdate } from './register.ts';
import { newScope } from './testing/support.ts';

class FakeWorker extends EventTarget {
  readonly posted: unknown[] = [];
  state = 'installing';
  onPost: () => void = () => undefined;

  postMessage(message: unknown): void {
    this.posted.push(message);
    this.onPost();
  }

  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeRegistration extends EventTarget {
  active: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  installing: FakeWorker | null = null;
}

/** As a browser's container behaves, as far as registration goes; the real one is tried in `tests/e2e`. */
class FakeContainer extends EventTarget {
  readonly registration = new FakeRegistration();
  readonly registered: unknown[] = [];
  controller: FakeWorker | null = null;

  register(...args: unknown[]) {
    this.registered.push(args);
    return Promise.resolve(this.registration);
  }

  get ready() {
    return Promise.resolve(this.registration);
  }

  control(worker: FakeWorker): void {
    this.controller = worker;
    this.dispatchEvent(new Event('controllerchange'));
  }
}

function setUp() {
  const container = new FakeContainer();
  const updates: PendingUpdate[] = [];
  const scope = newScope();
  const clock = new ManualClock();
  const register = () =>
    registerServiceWorker({
      container: container as unknown as ServiceWorkerContainer,
      scope,
      clock,
      onUpdateReady: (update) => updates.push(update),
    });
  const active = new FakeWorker();
  container.registration.active = active;
  return { container, registration: container.registration, active, updates, scope, clock, register };
}

it('registers without the HTTP cache', async () => {
  const { container, active, register } = setUp();
  container.controller = active;
  await register();
  expect(container.registered).toEqual([['/service-worker.js', { type: 'classic', updateViaCache: 'none' }]]);
  expect(active.posted).toEqual([]);
});

it('asks to be claimed after a hard reload, and waits for control', async () => {
  const { container, active, register } = setUp();
  active.onPost = () => container.control(active);
  await register();
  expect(active.posted).toEqual([{ type: 'claim' }]);
  expect(container.controller).toBe(active);
});

it('tells of an update that waits already', async () => {
  const { container, registration, active, updates, register } = setUp();
  container.controller = active;
  registration.waiting = new FakeWorker();
  await register();
  expect(updates).toHaveLength(1);
});

it('tells of an update once it is installed', async () => {
  const { container, registration, active, updates, register } = setUp();
  container.controller = active;
  await register();
  const incoming = new FakeWorker();
  registration.installing = incoming;
  registration.dispatchEvent(new Event('updatefound'));
  expect(updates).toHaveLength(0);
  incoming.become('installed');
  expect(updates).toHaveLength(1);
});

it('does not call the first installation an update', async () => {
  const { container, registration, active, updates, register } = setUp();
  registration.active = null;
  container.controller = active;
  await register();
  const incoming = new FakeWorker();
  registration.installing = incoming;
  registration.dispatchEvent(new Event('updatefound'));
  incoming.become('installed');
  expect(updates).toHaveLength(0);
});

it('applies an update only when no work is under way; what only reads does not count', async () => {
  const { container, registration, active, updates, scope, clock, register } = setUp();
  container.controller = active;
  const waiting = new FakeWorker();
  waiting.onPost = () => container.control(waiting);
  registration.waiting = waiting;
  await register();
  const feed = await holdLock(navigator.locks, requestName(scope, 'read-1'));
  const generation = await holdLock(navigator.locks, requestName(scope, 'work-1'));

  const applied = updates[0]?.applyUpdate();
  for (let look = 0; look < 5; look++) {
    await clock.advance(500);
    await navigator.locks.query();
  }
  expect(waiting.posted).toEqual([]);
  generation.release();
  await expect.poll(() => clock.advance(500).then(() => waiting.posted.length)).toBe(1);
  await applied;
  expect(waiting.posted).toEqual([{ type: 'skip-waiting' }]);
  feed.release();
});
