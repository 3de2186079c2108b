/** Our own build reads a model's files itself, where it runs; the package's builds ask the thread that started them. */
import type { WorkerProxy } from './worker-proxy.ts';

/** Takes the files out of the messages before wllama's own handler sees them. */
const receive = `{const handle=self.onmessage;self.onmessage=(e)=>{if(e.data.modelFiles)self.modelFiles=e.data.modelFiles;else handle(e)}}
`;

/** Call before the worker starts: its script has `modelFiles`, Blobs by name, as soon as it is initialised. */
export function handOverFiles(proxy: WorkerProxy): void {
  const moduleCode = proxy.getModuleCode.bind(proxy);
  const moduleInit = proxy.moduleInit.bind(proxy);
  proxy.getModuleCode = async () => receive + (await moduleCode());
  proxy.moduleInit = async (files) => {
    const result = await moduleInit(files);
    proxy.worker.postMessage({ modelFiles: new Map(files.map(({ name, blob }) => [name, blob])) });
    return result;
  };
}
