/** Who else may use the models: pages of other origins, each by the user's own word. */

/** `once` ends with the page that asked; it is never stored. */
export const grantDecisions = ['always', 'once', 'never'] as const;
export type GrantDecision = (typeof grantDecisions)[number];

/** `GET /_sampan/grants` lists them, `PUT` keeps one by its origin, `DELETE /_sampan/grants?origin=` revokes one. */
export interface GrantJson {
  /** Exact, as browsers write it, or with any port: `http://localhost:*`. `*` is every origin. */
  readonly origin: string;
  readonly decision: Exclude<GrantDecision, 'once'>;
  /** Every model, or these by their references as listed. */
  readonly models: 'all' | readonly string[];
  readonly created_ms: number;
  readonly last_used_ms?: number;
  /** Requests admitted since it was created. */
  readonly requests: number;
}

/** Body of `PUT /_sampan/grants`. */
export type GrantWish = Pick<GrantJson, 'origin' | 'decision' | 'models'>;
