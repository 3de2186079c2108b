/** The page of requests with a runner that is written by hand. */
import { ManualClock, systemClock } from '#lib/core/clock.ts';
import { Catalog } from '#lib/state/catalog.svelte.ts';
import { Chat } from '#lib/state/chat.svelte.ts';
import { MemoryConversationStore } from '#lib/state/conversation-store.ts';
import { LiveFeed } from '#lib/state/feed.svelte.ts';
import { Models } from '#lib/state/models.svelte.ts';
import { Now } from '#lib/state/now.ts';
import { RequestDesk } from '#lib/state/request-desk.svelte.ts';
import { RequestList } from '#lib/state/request-list.svelte.ts';
import { ScriptedRecorder } from '#lib/state/testing/request-samples.ts';
import { json } from '#lib/state/testing/scripted-client.ts';
import { Theme } from '#lib/state/theme.svelte.ts';
import { Toasts } from '#lib/state/toasts.svelte.ts';

export function pageSample() {
  const client = new ScriptedRecorder();
  const clock = new ManualClock();
  const frames = { next: (callback: () => void) => queueMicrotask(callback) };
  const toasts = new Toasts({ clock });
  const catalog = new Catalog({ fetch: () => Promise.resolve(json([])), appHost: 'localhost' });
  const feed = new LiveFeed({ client, clock, onLost: () => undefined });
  const models = new Models({ client, catalog, feed });
  const store = new MemoryConversationStore();
  const chat = new Chat({ client, clock, frames, models, store, onError: () => undefined });
  const theme = new Theme({ storage: localStorage, root: document.documentElement });
  const app = { client, chat, models, theme, toasts, now: new Now({ clock: systemClock }) };
  const list = new RequestList({ client, clock, frames });
  const clipboard = { writeText: () => Promise.resolve() };
  const desk = new RequestDesk({ client, toasts, list, clipboard, origin: 'http://localhost' });
  return { app, client, clock, desk };
}
