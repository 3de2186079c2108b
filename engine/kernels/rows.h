// Activations are quantised here: to the nearest number, ties to even, as on every other architecture.
#pragma once

#include "simd.h"

// 32 floats as bytes times a scale; returns the scale, and the sum of the bytes in `total`.
ENGINE_INLINE float quantize_block(const float * x, int8_t * out, int & total) {
    v128_t value[8];
    v128_t largest = wasm_f32x4_splat(0);
    for (int j = 0; j < 8; ++j) {
        value[j] = wasm_v128_load(x + 4 * j);
        largest = wasm_f32x4_pmax(largest, wasm_f32x4_abs(value[j]));
    }
    largest = wasm_f32x4_pmax(largest, wasm_i32x4_shuffle(largest, largest, 2, 3, 0, 1));
    largest = wasm_f32x4_pmax(largest, wasm_i32x4_shuffle(largest, largest, 1, 0, 3, 2));
    const float scale = wasm_f32x4_extract_lane(largest, 0) / 127.0f;
    const v128_t inverse = wasm_f32x4_splat(scale != 0 ? 1.0f / scale : 0.0f);
    v128_t number[8];
    for (int j = 0; j < 8; ++j) {
        number[j] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(value[j], inverse)));
    }
    const v128_t low = wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(number[0], number[1]),
                                               wasm_i16x8_narrow_i32x4(number[2], number[3]));
    const v128_t high = wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(number[4], number[5]),
                                                wasm_i16x8_narrow_i32x4(number[6], number[7]));
    // A scale below the smallest normal number has an infinite inverse, which would give -128.
    const v128_t lowest = wasm_i8x16_splat(-127);
    wasm_v128_store(out, wasm_i8x16_max(low, lowest));
    wasm_v128_store(out + 16, wasm_i8x16_max(high, lowest));
    const v128_t sums = scaled_sum(out, wasm_i16x8_splat(1));
    total = wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) + wasm_i32x4_extract_lane(sums, 2) +
            wasm_i32x4_extract_lane(sums, 3);
    return scale;
}

static void quantize_row_of_q8_0(const float * x, block_q8_0 * y, int64_t k) {
    for (int64_t i = 0; i < k / 32; ++i) {
        int total;
        y[i].d = GGML_CPU_FP32_TO_FP16(quantize_block(x + 32 * i, y[i].qs, total));
    }
}

static void quantize_row_of_q8_1(const float * x, block_q8_1 * y, int64_t k) {
    for (int64_t i = 0; i < k / 32; ++i) {
        int total;
        const float scale = quantize_block(x + 32 * i, y[i].qs, total);
        y[i].d = GGML_CPU_FP32_TO_FP16(scale);
        y[i].s = GGML_CPU_FP32_TO_FP16(scale * (float) total);
    }
}

static void quantize_block_of_q8_K(const float * x, block_q8_K & y) {
    v128_t most = wasm_v128_load(x), least = most;
    for (int j = 4; j < QK_K; j += 4) {
        const v128_t value = wasm_v128_load(x + j);
        most = wasm_f32x4_pmax(most, value);
        least = wasm_f32x4_pmin(least, value);
    }
    float high = wasm_f32x4_extract_lane(most, 0), low = wasm_f32x4_extract_lane(least, 0);
    float lanes[8];
    wasm_v128_store(lanes, most);
    wasm_v128_store(lanes + 4, least);
    for (int j = 1; j < 4; ++j) {
        if (lanes[j] > high) high = lanes[j];
        if (lanes[4 + j] < low) low = lanes[4 + j];
    }
    // the number furthest from zero becomes -127
    const float furthest = -low > high ? low : high;
    const float inverse = furthest != 0 ? -127.0f / furthest : 0.0f;
    const v128_t factor = wasm_f32x4_splat(inverse), lowest = wasm_i8x16_splat(-127);
    for (int j = 0; j < QK_K; j += 16) {
        v128_t number[4];
        for (int k = 0; k < 4; ++k) {
            const v128_t scaled = wasm_f32x4_mul(wasm_v128_load(x + j + 4 * k), factor);
            number[k] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(scaled));
        }
        const v128_t bytes = wasm_i8x16_max(
            lowest, wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(number[0], number[1]),
                                            wasm_i16x8_narrow_i32x4(number[2], number[3])));
        wasm_v128_store(y.qs + j, bytes);
        const v128_t sums = wasm_i32x4_extadd_pairwise_i16x8(wasm_i16x8_extadd_pairwise_i8x16(bytes));
        y.bsums[j / 16] = (int16_t) (wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) +
                                     wasm_i32x4_extract_lane(sums, 2) + wasm_i32x4_extract_lane(sums, 3));
    }
    y.d = inverse != 0 ? 1.0f / inverse : 0.0f;
}
