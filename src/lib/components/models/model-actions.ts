/** What the menu of a model offers, on its row and on its page. */
import type { ModelDesk } from '#lib/state/model-desk.svelte.ts';
import type { LocalModel } from '#lib/state/models.svelte.ts';
import { shortReference } from '#lib/state/names.ts';
import { canChat, curlFor } from './model-words.ts';

interface MenuItem {
  readonly label: string;
  readonly icon: string;
  readonly danger?: boolean;
  readonly run: () => void;
}

interface ActionOptions {
  readonly desk: ModelDesk;
  /** Of the API, for the copied command. */
  readonly origin: string;
  /** Opens a page of the app. */
  readonly open: (href: string) => void;
  /** The page that has the menu shows some of it as buttons. */
  readonly on: 'row' | 'page';
}

export function actionsOf(model: LocalModel, options: ActionOptions): readonly MenuItem[] {
  const { desk, on } = options;
  const show = (kind: 'tag' | 'push' | 'export' | 'delete') => () => desk.show({ kind, model });
  return [
    ...(on === 'row' ? openers(model, options) : []),
    ...runItems(model, desk),
    { label: 'Tag…', icon: 'tag', run: show('tag') },
    { label: 'Push…', icon: 'upload', run: show('push') },
    {
      label: 'Package…',
      icon: 'package',
      run: () => desk.showPackage({ from: model.reference }),
    },
    { label: 'Export .tar…', icon: 'download', run: show('export') },
    { label: 'Verify and repair', icon: 'shield', run: () => desk.repair(model) },
    {
      label: 'Copy reference',
      icon: 'copy',
      run: () => desk.copy(shortReference(model.reference), 'Reference copied.'),
    },
    {
      label: 'Copy as curl',
      icon: 'code',
      run: () => desk.copy(curlFor(model.reference, options.origin), 'Command copied.'),
    },
    { label: 'Delete…', icon: 'trash', danger: true, run: show('delete') },
  ];
}

export function pageOf(model: LocalModel): string {
  return `/models?model=${encodeURIComponent(model.reference)}`;
}

export function chatWith(model: LocalModel): string {
  return `/chat?model=${encodeURIComponent(model.reference)}`;
}

function openers(model: LocalModel, { open }: ActionOptions): readonly MenuItem[] {
  const chat = { label: 'Chat', icon: 'chat', run: () => open(chatWith(model)) };
  return [
    ...(canChat(model) ? [chat] : []),
    { label: 'Open', icon: 'settings', run: () => open(pageOf(model)) },
  ];
}

function runItems(model: LocalModel, desk: ModelDesk): readonly MenuItem[] {
  if (model.runner) return [{ label: 'Unload', icon: 'eject', run: () => desk.unload(model) }];
  return canChat(model) ? [{ label: 'Load now', icon: 'play', run: () => desk.load(model) }] : [];
}
