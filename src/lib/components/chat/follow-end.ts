/** Keeps a scrolled view at its end while it grows, until the reader scrolls away. */

const nearPx = 48;

export class EndFollower {
  #element: HTMLElement | undefined;
  #following = true;
  readonly #onChange: (following: boolean) => void;

  /** `onChange` is called with whether the view follows. */
  constructor(onChange: (following: boolean) => void) {
    this.#onChange = onChange;
  }

  /** For `{@attach}` on the scrolling element; its first child is what grows. */
  readonly attach = (element: HTMLElement): (() => void) => {
    this.#element = element;
    this.jump();
    const observer = new ResizeObserver(() => this.#grown());
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    const onScroll = () => this.#set(distanceToEnd(element) < nearPx);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  };

  /** For `{@attach}` on a question: one just asked is always brought into view. */
  readonly showNew = (): void => this.jump();

  jump(): void {
    this.#set(true);
    this.#grown();
  }

  #grown(): void {
    if (this.#following) this.#element?.scrollTo({ top: this.#element.scrollHeight });
  }

  #set(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#onChange(following);
  }
}

function distanceToEnd(element: HTMLElement): number {
  return element.scrollHeight - element.scrollTop - element.clientHeight;
}
