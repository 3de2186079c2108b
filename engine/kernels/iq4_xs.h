// IQ4_XS: 256 weights in a block, four bits each that name one of sixteen signed values, and a scale for every 32.
#pragma once

#include "simd.h"

ENGINE_INLINE int iq4_xs_scale(const block_iq4_xs & x, int j) {
    const int low = x.scales_l[j / 2] >> (4 * (j & 1)) & 0x0F;
    return (low | (x.scales_h >> (2 * j) & 3) << 4) - 32;
}

template <int COLUMNS>
static void iq4_xs_tile(int n, float * out, size_t out_stride, const char * x, const char * y, size_t y_stride) {
    const Nibbles nibbles;
    const v128_t table = wasm_v128_load(kvalues_iq4nl), none = wasm_i32x4_splat(0);
    v128_t sum[COLUMNS];
    for (int c = 0; c < COLUMNS; ++c) sum[c] = wasm_f32x4_splat(0);
    for (int i = 0; i < n / QK_K; ++i) {
        const block_iq4_xs & row = ((const block_iq4_xs *) x)[i];
        v128_t whole[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) whole[c] = wasm_i32x4_splat(0);
        for (int j = 0; j < QK_K / 32; ++j) {
            const v128_t q = wasm_v128_load(row.qs + 16 * j);
            Wide w = widen_signed(choose(table, nibbles.low(q)), choose(table, nibbles.high(q)));
            // at most 127 * 32
            const v128_t scale = wasm_i16x8_splat((int16_t) iq4_xs_scale(row, j));
            for (v128_t & part : w.part) part = wasm_i16x8_mul(part, scale);
            for (int c = 0; c < COLUMNS; ++c) {
                const block_q8_K * column = (const block_q8_K *) (y + c * y_stride) + i;
                whole[c] = dot(w, column->qs + 32 * j, whole[c], none);
            }
        }
        const float d = GGML_CPU_FP16_TO_FP32(row.d);
        for (int c = 0; c < COLUMNS; ++c) {
            const float factor = d * ((const block_q8_K *) (y + c * y_stride) + i)->d;
            sum[c] = multiply_add(wasm_f32x4_convert_i32x4(whole[c]), wasm_f32x4_splat(factor), sum[c]);
        }
    }
    for (int c = 0; c < COLUMNS; ++c) out[c * out_stride] = sum_of_lanes(sum[c]);
}
