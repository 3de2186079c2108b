/** Files of the origin's private file system that somebody still has open. */

/** What Chromium throws for such a file; whoever had it open lets go of it a moment after its end. */
export function isStillOpen(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'NoModificationAllowedError';
}
