// The builds of llama.cpp that wllama's script can run here: the package's two, and those that the app ships.
/* global location */
import compatScript from '@wllama/wllama-compat/wasm/wllama.js?raw';
import compatUrl from '@wllama/wllama-compat/wasm/wllama.wasm?url';
import defaultUrl from '@wllama/wllama/esm/wasm/wllama.wasm?url';

const ownFolder = '/engine';

/** A build without `code` runs with the script that is inside wllama. */
export async function listBuilds() {
  return [
    { name: 'package', ...(await fileOf(defaultUrl)) },
    { name: 'package, compat', ...(await fileOf(compatUrl)), code: compatScript },
    ...(await ownBuilds()),
  ];
}

async function fileOf(url) {
  const wasmUrl = new URL(url, location.href).href;
  const response = await fetch(wasmUrl);
  return { wasmUrl, bytes: (await response.blob()).size };
}

/** None where the app has no folder of them. */
async function ownBuilds() {
  const response = await fetch(`${ownFolder}/manifest.json`);
  if (!response.ok || !response.headers.get('content-type')?.includes('json')) return [];
  const { builds } = await response.json();
  return Promise.all(
    builds.map(async ({ name, js, wasm }) => ({
      name: `own, ${name}`,
      wasmUrl: new URL(`${ownFolder}/${wasm.path}`, location.href).href,
      bytes: wasm.bytes,
      code: await (await fetch(`${ownFolder}/${js.path}`)).text(),
      readsFiles: true,
    })),
  );
}
