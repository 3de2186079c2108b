import { expose } from 'comlink';

const connections = 4;

expose(async (url, sizeBytes) => {
  const startMs = performance.now();
  const partBytes = Math.ceil(sizeBytes / connections);
  const parts = Array.from({ length: connections }, (_, index) =>
    drop(url, index * partBytes, Math.min((index + 1) * partBytes, sizeBytes)),
  );
  const received = (await Promise.all(parts)).reduce((sum, bytes) => sum + bytes, 0);
  if (received !== sizeBytes) throw new Error(`${received} of ${sizeBytes} bytes came.`);
  return performance.now() - startMs;
});

async function drop(url, from, to) {
  const response = await fetch(url, { headers: { range: `bytes=${from}-${to - 1}` }, cache: 'no-store' });
  const reader = response.body.getReader();
  let received = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read())
    received += next.value.byteLength;
  return received;
}
