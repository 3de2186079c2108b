/** What the browser offers, put together: the one place of the pages that knows the real client, worker and storage. */
import { Client } from '#lib/bridge/client.ts';
import { Host } from '#lib/bridge/election.ts';
import { registerServiceWorker, type PendingUpdate } from '#lib/bridge/register.ts';
import { sleep, systemClock } from '#lib/core/clock.ts';
import RunnerWorker from '#workers/runner.worker.ts?worker';
import { App } from './app.svelte.ts';
import { IdbConversationStore } from './conversation-store.ts';
import { browserFrames } from './frames.ts';
import { LateHost } from './late-host.ts';

/** Longer than the first installation takes, short enough for a network that never answers. */
const controlMs = 5000;
/** This page brings a host itself: what is asked of it early waits twice so long, as a slow machine may take. */
const waitForHostMs = 15_000;

export function boot(): App {
  const controlled = takeControl((update) => app.updateReady(() => void applyUpdate(update)));
  const createHost = () =>
    new Host({
      createWorker: (engineId) => new RunnerWorker({ name: engineId }),
      isVisible: () => document.visibilityState === 'visible',
    });
  const app: App = new App({
    client: new Client({ waitForHostMs }),
    host: new LateHost(controlled, createHost),
    clock: systemClock,
    frames: browserFrames,
    conversations: new IdbConversationStore(),
    fetch: (path) => fetch(path),
    appHost: location.host,
    themeStorage: localStorage,
    root: document.documentElement,
    persistStorage: () => navigator.storage.persist(),
  });
  return app;
}

/** Never rejects: other pages then cannot call the API with plain fetch, and this one works without. */
async function takeControl(onUpdateReady: (update: PendingUpdate) => void): Promise<void> {
  // Typed as always there; private windows of some browsers leave it out.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) return;
  const registered = registerServiceWorker({
    container,
    type: import.meta.env.DEV ? 'module' : 'classic',
    onUpdateReady,
  }).catch((thrown: unknown) => console.warn('[sampan] no service worker:', thrown));
  await Promise.race([registered, sleep(systemClock, controlMs)]);
}

async function applyUpdate(update: PendingUpdate): Promise<void> {
  await update.applyUpdate();
  location.reload();
}
