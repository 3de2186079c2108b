/** SvelteKit's virtual module, declared here because its own declaration brings Node and the DOM along. */
declare module '$service-worker' {
  /** What Vite has built, as paths; empty in development. */
  export const build: readonly string[];
  /** What lies in `static/`. */
  export const files: readonly string[];
  /** Paths of prerendered pages. */
  export const prerendered: readonly string[];
  export const version: string;
}
