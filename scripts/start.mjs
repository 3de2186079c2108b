// `npm start`: sets everything up, then serves the app. Arguments go to the companion: npm start -- --port 8080
import { ensureBuild, ensureDependencies } from './setup.mjs';

ensureDependencies();
ensureBuild();
await import('../build/server/main.js');
