import { expose } from 'comlink';
import { createSHA256 } from 'hash-wasm';
import { ModelBytes } from './bytes.mjs';

const pieceBytes = 4 * 1024 * 1024;
const prepared = { bytes: undefined, hasher: undefined };

expose({
  async prepare(header, sizeBytes) {
    prepared.bytes = new ModelBytes(header, sizeBytes);
    prepared.hasher = (await createSHA256()).init();
  },
  digest() {
    for (const piece of prepared.bytes.pieces(pieceBytes)) prepared.hasher.update(piece);
    return `sha256:${prepared.hasher.digest()}`;
  },
});
