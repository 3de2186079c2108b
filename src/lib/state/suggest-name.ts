/** A model name from a file name: `Qwen3-1.7B-Q4_K_M.gguf` → `local/qwen3-1.7b:Q4_K_M`. Always one that can be typed as a reference. */

const shard = /[-.]\d{5}-of-\d{5}$/i;
const quantization = /[-.](i?q\d\w*|b?f16|f32|mxfp4\w*|tq\d\w*)$/i;

export function suggestName(fileName: string): string {
  const stem = fileName.replace(/\.(?:gguf|tar)$/i, '').replace(shard, '');
  const tag = quantization.exec(stem)?.[1]?.slice(0, 128);
  const name = toComponent(tag === undefined ? stem : stem.replace(quantization, ''));
  return tag !== undefined && /^[\w.-]+$/.test(tag) ? `local/${name}:${tag}` : `local/${name}`;
}

/** What a registry takes between two slashes: lowercase letters and digits, single separators between them. */
function toComponent(text: string): string {
  const component = text
    .toLowerCase()
    // A single dot between letters or digits stays: it is the one of “1.7b”.
    .replace(/[^a-z0-9.]+|\.(?![a-z0-9])|(?<![a-z0-9])\./g, '-')
    .replace(/-{2,}/g, '-')
    .slice(0, 128)
    .replace(/^[-.]+|[-.]+$/g, '');
  return component || 'model';
}
