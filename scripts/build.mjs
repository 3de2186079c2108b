// Builds app and companion when a source has changed, and nothing otherwise.
import { ensureBuild, ensureDependencies } from './setup.mjs';

ensureDependencies();
ensureBuild();
