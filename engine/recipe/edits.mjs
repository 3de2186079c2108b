/** Our changes to other people's sources: each is a text that stands there exactly so often, and what takes its place. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { glueEdits } from './glue-edits.mjs';

const cpu = 'llama.cpp/ggml/src/ggml-cpu';
const ours = 'arch/wasm/kernels';

const edits = [
  ...glueEdits,
  {
    why: 'our kernels stand in the place of those for WASM',
    file: `${cpu}/CMakeLists.txt`,
    find: 'ggml-cpu/arch/wasm/quants.c',
    replace: `ggml-cpu/${ours}/kernels.cpp ggml-cpu/${ours}/attention.cpp`,
  },
  ...['iq4_nl_q8_0', 'iq4_xs_q8_K'].map((name) => ({
    why: 'the generic function keeps its name, ours takes the other',
    file: `${cpu}/arch-fallback.h`,
    within: '#elif defined(__wasm__)',
    find: `#define ggml_vec_dot_${name}_generic ggml_vec_dot_${name}\n`,
    replace: '',
  })),
  {
    why: 'declarations of our kernels',
    file: `${cpu}/ggml-cpu.c`,
    find: '#include "quants.h"\n',
    replace: `#include "quants.h"\n#include "${ours}/engine.h"\n`,
  },
  {
    why: 'F16 weights take F32 activations as they are',
    file: `${cpu}/ggml-cpu.c`,
    within: 'static void ggml_compute_forward_mul_mat_one_chunk(',
    find: 'type_traits_cpu[type].vec_dot_type;',
    replace: 'engine_activations(type, src1->type, type_traits_cpu[type].vec_dot_type);',
  },
  {
    why: 'F16 weights take F32 activations as they are',
    file: `${cpu}/ggml-cpu.c`,
    within: 'void ggml_compute_forward_mul_mat(',
    find: '= type_traits_cpu[src0->type].vec_dot_type;',
    replace: '= engine_activations(src0->type, src1->type, type_traits_cpu[src0->type].vec_dot_type);',
  },
  {
    why: 'several rows and columns at once',
    file: `${cpu}/ggml-cpu.c`,
    within: 'static void ggml_compute_forward_mul_mat_one_chunk(',
    find: `    // attempt to reduce false-sharing (does not seem to make a difference)\n`,
    replace: `    if (engine_product_knows(type, vec_dot_type)) {
        for (int64_t ir1 = ir1_start; ir1 < ir1_end;) {
            const int64_t i13 = ir1 / (ne12 * ne1);
            const int64_t i12 = (ir1 - i13 * ne12 * ne1) / ne1;
            const int64_t i11 = ir1 - i13 * ne12 * ne1 - i12 * ne1;
            const int64_t columns = MIN(ir1_end - ir1, ne1 - i11);
            const char * x = (const char *) src0->data + i12 / r2 * nb02 + i13 / r3 * nb03 + ir0_start * nb01;
            const char * y = (const char *) wdata + (src1_cont || src1->type != vec_dot_type
                ? (i11 + i12 * ne11 + i13 * ne12 * ne11) * row_size
                : i11 * nb11 + i12 * nb12 + i13 * nb13);
            float * out = (float *) ((char *) dst->data + i11 * nb1 + i12 * nb2 + i13 * nb3) + ir0_start;
            engine_product(type, ne00, out, nb1 / sizeof(float), x, nb01, ir0_end - ir0_start, y, src1_col_stride, columns);
            ir1 += columns;
        }
        return;
    }

    // attempt to reduce false-sharing (does not seem to make a difference)\n`,
  },
  {
    why: 'a fused product where the processor has it',
    file: `${cpu}/simd-mappings.h`,
    find: '#define GGML_F32x4_FMA(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(b, c), a)\n',
    replace: `#include "${ours}/half.h"
#ifdef __wasm_relaxed_simd__
#define GGML_F32x4_FMA(a, b, c) wasm_f32x4_relaxed_madd(b, c, a)
#else
#define GGML_F32x4_FMA(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(b, c), a)
#endif
`,
  },
  {
    why: 'halves are converted without a table',
    file: `${cpu}/simd-mappings.h`,
    find: '#define GGML_F16x4_LOAD(x)     __wasm_f16x4_load(x)\n#define GGML_F16x4_STORE(x, y) __wasm_f16x4_store(x, y)\n',
    replace:
      '#define GGML_F16x4_LOAD(x)     engine_halves_to_floats(x)\n#define GGML_F16x4_STORE(x, y) engine_floats_to_halves(x, y)\n',
  },
  {
    why: 'declarations of our kernels',
    file: `${cpu}/ops.cpp`,
    find: '#include "ops.h"\n',
    replace: `#include "ops.h"\n\n#include "${ours}/engine.h"\n`,
  },
  {
    why: 'our attention, where it knows the types of the cache',
    file: `${cpu}/ops.cpp`,
    within: 'void ggml_compute_forward_flash_attn_ext(',
    find: '    switch (dst->op_params[3]) {',
    replace: '    if (engine_attention(params, dst)) return;\n    switch (dst->op_params[3]) {',
  },
  {
    why: 'the scratch of our attention',
    file: `${cpu}/ggml-cpu.c`,
    find: '                        cur += MAX(prefill, decode);\n',
    replace:
      '                        cur += MAX(engine_attention_size(node, n_tasks), MAX(prefill, decode));\n',
  },
  {
    why: 'declarations of our kernels',
    file: `${cpu}/vec.cpp`,
    find: '#include "vec.h"\n',
    replace: `#include "vec.h"\n#include "${ours}/engine.h"\n`,
  },
  {
    why: 'activation functions take four numbers at a time',
    file: `${cpu}/vec.cpp`,
    find: '    for (; i < n; ++i) {\n        y[i] = ggml_silu_f32(x[i]);\n',
    replace: '    i = engine_silu(n, y, x);\n    for (; i < n; ++i) {\n        y[i] = ggml_silu_f32(x[i]);\n',
  },
  {
    why: 'activation functions take four numbers at a time',
    file: `${cpu}/vec.cpp`,
    find: '    for (; i < n; ++i) {\n        y[i] = ggml_silu_f32(x[i]) * g[i];\n',
    replace:
      '    i = engine_swiglu(n, y, x, g);\n    for (; i < n; ++i) {\n        y[i] = ggml_silu_f32(x[i]) * g[i];\n',
  },
  {
    why: 'soft-max takes four numbers at a time',
    file: `${cpu}/vec.cpp`,
    find: '    for (; i < n; ++i) {\n        float val = expf(x[i] - max);\n',
    replace:
      '    i = engine_exponentials(n, y, x, max, &sum);\n    for (; i < n; ++i) {\n        float val = expf(x[i] - max);\n',
  },
];

/** Applies every edit, and stops at the first that does not fit. */
export function editSources(folder) {
  for (const edit of edits) {
    const path = join(folder, edit.file);
    writeFileSync(path, edited(readFileSync(path, 'utf8'), edit));
  }
}

/** `within`: the first place after this text. Otherwise the text must stand in the file exactly once. */
function edited(text, { within, find, replace, why, file }) {
  const from = within === undefined ? 0 : text.indexOf(within);
  const at = text.indexOf(find, from);
  const again = within === undefined && text.includes(find, at + 1);
  if (from < 0 || at < 0 || again) throw new Error(`An edit of ${file} does not fit (${why}).`);
  return text.slice(0, at) + replace + text.slice(at + find.length);
}
