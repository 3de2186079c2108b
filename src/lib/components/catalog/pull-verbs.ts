/** What a card of the catalog does about a pull. */
export interface PullVerbs {
  readonly onPull: () => void;
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly onShowPulls: () => void;
}
