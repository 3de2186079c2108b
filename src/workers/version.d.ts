/** The `version` of package.json, put in by Vite. */
declare const __SAMPAN_VERSION__: string;
