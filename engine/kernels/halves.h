// F16 weights with F32 activations: no activation is rounded, and only one side is converted.
#pragma once

#include "simd.h"

template <int COLUMNS>
static void half_tile(int n, float * out, size_t out_stride, const char * x, const char * y, size_t y_stride) {
    const struct engine_half_constants constants = engine_constants_of_halves();
    const ggml_half * row = (const ggml_half *) x;
    v128_t sum[COLUMNS];
    for (int c = 0; c < COLUMNS; ++c) sum[c] = wasm_f32x4_splat(0);
    const int whole = n & ~7;
    for (int i = 0; i < whole; i += 8) {
        const v128_t a = engine_halves_to_floats_with(constants, row + i);
        const v128_t b = engine_halves_to_floats_with(constants, row + i + 4);
        for (int c = 0; c < COLUMNS; ++c) {
            const float * column = (const float *) (y + c * y_stride) + i;
            sum[c] = multiply_add(b, wasm_v128_load(column + 4), multiply_add(a, wasm_v128_load(column), sum[c]));
        }
    }
    for (int c = 0; c < COLUMNS; ++c) {
        const float * column = (const float *) (y + c * y_stride);
        float rest = 0;
        for (int i = whole; i < n; ++i) rest += GGML_CPU_FP16_TO_FP32(row[i]) * column[i];
        out[c * out_stride] = sum_of_lanes(sum[c]) + rest;
    }
}
