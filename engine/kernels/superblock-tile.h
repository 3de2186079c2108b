// The product of one row with some columns, for the formats of superblocks.h. Sums stay integers within a block.
#pragma once

#include "superblocks.h"

// The products of 16 weights (0..63) and activations, times the scale that fills `scale`.
ENGINE_INLINE v128_t scaled_dot(v128_t weights, v128_t scale, const int8_t * y) {
#ifdef __wasm_relaxed_simd__
    return wasm_i32x4_dot_i16x8(wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(y), weights), scale);
#else
    return wasm_i32x4_add(
        wasm_i32x4_dot_i16x8(wasm_i16x8_mul(wasm_u16x8_extend_low_u8x16(weights), scale), wasm_i16x8_load8x8(y)),
        wasm_i32x4_dot_i16x8(wasm_i16x8_mul(wasm_u16x8_extend_high_u8x16(weights), scale), wasm_i16x8_load8x8(y + 8)));
#endif
}

// The same of 32 weights (0..31) with one scale.
ENGINE_INLINE v128_t scaled_dot(v128_t low, v128_t high, v128_t scale, const int8_t * y) {
#ifdef __wasm_relaxed_simd__
    const v128_t pairs = wasm_i16x8_add(wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(y), low),
                                        wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(y + 16), high));
    return wasm_i32x4_dot_i16x8(pairs, scale);
#else
    return wasm_i32x4_add(scaled_dot(low, scale, y), scaled_dot(high, scale, y + 16));
#endif
}

ENGINE_INLINE v128_t dot(const Sixteen & numbers, const int16_t * sums) {
    return wasm_i32x4_add(wasm_i32x4_dot_i16x8(numbers.low, wasm_v128_load(sums)),
                          wasm_i32x4_dot_i16x8(numbers.high, wasm_v128_load(sums + 8)));
}

template <class Format, int COLUMNS>
static void superblock_tile(int n, float * out, size_t out_stride, const char * x, const char * y, size_t y_stride) {
    const Format format;
    v128_t sum[COLUMNS];
    for (int c = 0; c < COLUMNS; ++c) sum[c] = wasm_f32x4_splat(0);
    for (int i = 0; i < n / QK_K; ++i) {
        const typename Format::Row & row = ((const typename Format::Row *) x)[i];
        const auto numbers = Format::numbers(row);
        const block_q8_K * column[COLUMNS];
        v128_t whole[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) {
            column[c] = (const block_q8_K *) (y + c * y_stride) + i;
            whole[c] = wasm_i32x4_splat(0);
        }
        format.weights(row, numbers, [&](int at, v128_t low, v128_t high, v128_t s0, v128_t s1) __attribute__((always_inline)) {
            for (int c = 0; c < COLUMNS; ++c) {
                const int8_t * q = column[c]->qs + at;
                if constexpr (Format::one_scale) {
                    whole[c] = wasm_i32x4_add(whole[c], scaled_dot(low, high, s0, q));
                } else {
                    whole[c] = wasm_i32x4_add(whole[c], wasm_i32x4_add(scaled_dot(low, s0, q), scaled_dot(high, s1, q + 16)));
                }
            }
        });
        const float d = GGML_CPU_FP16_TO_FP32(row.d);
        for (int c = 0; c < COLUMNS; ++c) {
            if constexpr (Format::bias != 0) {
                const v128_t sums = dot(numbers.wide(), column[c]->bsums);
                whole[c] = wasm_i32x4_sub(whole[c], wasm_i32x4_mul(sums, wasm_i32x4_splat(Format::bias)));
            }
            sum[c] = multiply_add(wasm_f32x4_convert_i32x4(whole[c]), wasm_f32x4_splat(d * column[c]->d), sum[c]);
            if constexpr (Format::minima) {
                const v128_t minima = wasm_f32x4_convert_i32x4(dot(numbers.minima(), column[c]->bsums));
                const float factor = -GGML_CPU_FP16_TO_FP32(row.dmin) * column[c]->d;
                sum[c] = multiply_add(minima, wasm_f32x4_splat(factor), sum[c]);
            }
        }
    }
    for (int c = 0; c < COLUMNS; ++c) out[c * out_stride] = sum_of_lanes(sum[c]);
}
