/** Page-wide keys: G and a letter jumps, `/` focuses the page search, `?` lists them all. */
import { sections } from './sections.ts';

interface Actions {
  readonly go: (href: string) => void;
  readonly showShortcuts: () => void;
}

const chordMs = 1500;

export class Shortcuts {
  readonly #actions: Actions;
  #gPressedAtMs = -Infinity;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
      return;
    if (document.querySelector('dialog[open]')) return;
    if (this.#run(event)) event.preventDefault();
  }

  #run({ key, timeStamp }: KeyboardEvent): boolean {
    const followsG = timeStamp - this.#gPressedAtMs < chordMs;
    this.#gPressedAtMs = -Infinity;
    const section = followsG ? sections.find((candidate) => candidate.key === key.toLowerCase()) : undefined;
    if (section) this.#actions.go(section.href);
    else if (key === '?') this.#actions.showShortcuts();
    else if (key === '/') return focusSearch();
    else if (key.toLowerCase() === 'g') this.#gPressedAtMs = timeStamp;
    else return false;
    return true;
  }
}

function focusSearch(): boolean {
  const search = document.querySelector<HTMLElement>('main [data-page-search]');
  search?.focus();
  return search !== null;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}
