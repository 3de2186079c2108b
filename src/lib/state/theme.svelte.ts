/** Light, dark, or as the system: kept in localStorage, read again by `static/theme.js` before the first paint. */
import { MediaQuery } from 'svelte/reactivity';

export const themes = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themes)[number];

const key = 'sampan-theme';

interface ThemeOptions {
  readonly storage: Storage;
  readonly root: HTMLElement;
}

export class Theme {
  readonly #options: ThemeOptions;
  readonly #systemDark = new MediaQuery('(prefers-color-scheme: dark)', false);
  #choice = $state<ThemeChoice>('system');

  constructor(options: ThemeOptions) {
    this.#options = options;
    this.#choice = themes.find((theme) => theme === options.storage.getItem(key)) ?? 'system';
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  get resolved(): 'light' | 'dark' {
    if (this.#choice !== 'system') return this.#choice;
    return this.#systemDark.current ? 'dark' : 'light';
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    this.#options.storage.setItem(key, choice);
  }

  /** System, light, dark, and round again. */
  next(): void {
    const index = themes.indexOf(this.#choice);
    this.choose(themes[(index + 1) % themes.length] ?? 'system');
  }

  /** Puts the resolved theme on the document. */
  apply(): void {
    this.#options.root.dataset.theme = this.resolved;
  }
}
