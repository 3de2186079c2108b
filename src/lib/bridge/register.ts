/** The page's side of the service worker: registration, control after a hard reload, and updates that interrupt nothing. */
import { sleep } from '#lib/core/clock.ts';
import { bridgeOf, type Bridge, type BridgeOptions } from './environment.ts';
import { isWorkLease } from './protocol.ts';
import type { WorkerCommand } from './worker-command.ts';

interface RegisterOptions extends BridgeOptions {
  /** `navigator.serviceWorker`. */
  readonly container: ServiceWorkerContainer;
  readonly url?: string | undefined;
  /** Needed where the script is served unbundled, as in development. */
  readonly type?: 'classic' | 'module' | undefined;
  /** A new version waits; `applyUpdate` is for when the person says so. */
  readonly onUpdateReady: (update: PendingUpdate) => void;
}

export interface PendingUpdate {
  /** Waits until nothing is generated, pulled or changed anywhere, then activates. Reload the page afterwards. */
  applyUpdate(): Promise<void>;
}

const pollMs = 500;

/** Resolves when this page is controlled by the service worker. */
export async function registerServiceWorker(options: RegisterOptions): Promise<void> {
  const { container, url = '/service-worker.js', type = 'classic', onUpdateReady } = options;
  const registration = await container.register(url, { type, updateViaCache: 'none' });
  watchForUpdate(registration, container, () =>
    onUpdateReady({ applyUpdate: () => applyUpdate(registration, container, bridgeOf(options)) }),
  );
  await takeControl(container);
}

/** After a hard reload a page stays uncontrolled for good, unless the worker claims it. */
async function takeControl(container: ServiceWorkerContainer): Promise<void> {
  const { active } = await container.ready;
  if (container.controller) return;
  const controlled = once(container, 'controllerchange');
  send(active, { type: 'claim' });
  await controlled;
}

function watchForUpdate(
  registration: ServiceWorkerRegistration,
  container: ServiceWorkerContainer,
  onReady: () => void,
): void {
  if (registration.waiting) onReady();
  registration.addEventListener('updatefound', () => {
    const incoming = registration.installing;
    // Without an active one before it this is the first installation and no update.
    if (!incoming || !registration.active) return;
    incoming.addEventListener('statechange', () => {
      if (incoming.state === 'installed' && container.controller) onReady();
    });
  });
}

async function applyUpdate(
  registration: ServiceWorkerRegistration,
  container: ServiceWorkerContainer,
  bridge: Bridge,
): Promise<void> {
  // Reading streams (events, logs) are always open and are simply asked again.
  while (await isWorking(bridge)) await sleep(bridge.clock, pollMs);
  if (!registration.waiting) return;
  const activated = once(container, 'controllerchange');
  send(registration.waiting, { type: 'skip-waiting' });
  await activated;
}

async function isWorking({ locks, scope }: Bridge): Promise<boolean> {
  const { held = [] } = await locks.query();
  return held.some(({ name = '' }) => isWorkLease(scope, name));
}

function once(target: EventTarget, type: string): Promise<unknown> {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

function send(worker: ServiceWorker | null, command: WorkerCommand): void {
  worker?.postMessage(command);
}
