import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Shortcuts } from './shortcuts.ts';

const go = vi.fn();
const showShortcuts = vi.fn();
let main: HTMLElement;
let stop: () => void;

beforeEach(() => {
  vi.clearAllMocks();
  main = document.createElement('main');
  main.innerHTML = '<input data-page-search>';
  document.body.append(main);
  const shortcuts = new Shortcuts({ go, showShortcuts });
  const listener = (event: KeyboardEvent) => shortcuts.handle(event);
  addEventListener('keydown', listener);
  stop = () => removeEventListener('keydown', listener);
});

afterEach(() => {
  stop();
  main.remove();
});

function press(key: string, target: EventTarget = document.body, options: KeyboardEventInit = {}): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options }));
}

it('jumps on G and a letter, and not on the letter alone', () => {
  press('m');
  expect(go).not.toHaveBeenCalled();
  press('g');
  press('m');
  expect(go).toHaveBeenCalledExactlyOnceWith('/models');
});

it('focuses the page search on /', () => {
  press('/');
  expect(document.activeElement).toBe(main.querySelector('input'));
});

it('lists the keys on ?', () => {
  press('?');
  expect(showShortcuts).toHaveBeenCalledOnce();
});

it('leaves typing and the browser’s own keys alone', () => {
  const input = main.querySelector('input');
  if (!input) throw new Error('The page has a search field.');
  press('?', input);
  press('?', document.body, { ctrlKey: true });
  expect(showShortcuts).not.toHaveBeenCalled();
});
