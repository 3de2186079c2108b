/** The app runs in the browser alone: every page is the same shell, and the engine is next to it. */
export const ssr = false;
export const prerender = false;
