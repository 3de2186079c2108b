// Formats with 32 weights in a block: how a block is unpacked, and the product of some rows with some columns.
#pragma once

#include "simd.h"

// `bias` is what a stored number is too large by; a format with minima adds one number to a whole block. `largest` is the
// largest stored number of the formats whose numbers have no sign.
struct Q4_0 {
    using Row = block_q4_0;
    using Column = block_q8_0;
    static constexpr int largest = 15;
    static constexpr int bias = 8;
    static constexpr bool minima = false;
    Nibbles nibbles;
    Narrow unpack(const Row & x) const {
        const v128_t q = wasm_v128_load(x.qs);
        return {nibbles.low(q), nibbles.high(q)};
    }
};

struct Q4_1 {
    using Row = block_q4_1;
    using Column = block_q8_1;
    static constexpr int largest = 15;
    static constexpr int bias = 0;
    static constexpr bool minima = true;
    Nibbles nibbles;
    Narrow unpack(const Row & x) const {
        const v128_t q = wasm_v128_load(x.qs);
        return {nibbles.low(q), nibbles.high(q)};
    }
};

// The fifth bits of 32 weights, as 0 or 16.
struct FifthBits {
    v128_t bit = held<0x08040201, 0x80402010, 0x08040201, 0x80402010>();
    v128_t sixteen = held<0x10101010>();
    v128_t bytes01 = held<0, 0, 0x01010101, 0x01010101>();
    v128_t bytes23 = held<0x02020202, 0x02020202, 0x03030303, 0x03030303>();

    Narrow unpack(const uint8_t * qh) const {
        const v128_t all = wasm_v128_load32_zero(qh);
        return {sixteens(choose(all, bytes01)), sixteens(choose(all, bytes23))};
    }
    v128_t sixteens(v128_t bytes) const {
        return wasm_v128_and(wasm_i8x16_eq(wasm_v128_and(bytes, bit), bit), sixteen);
    }
};

struct Q5_0 {
    using Row = block_q5_0;
    using Column = block_q8_0;
    static constexpr int largest = 31;
    static constexpr int bias = 16;
    static constexpr bool minima = false;
    Nibbles nibbles;
    FifthBits fifth_bits;
    Narrow unpack(const Row & x) const {
        const v128_t q = wasm_v128_load(x.qs);
        const Narrow fifth = fifth_bits.unpack(x.qh);
        return {wasm_v128_or(nibbles.low(q), fifth.low), wasm_v128_or(nibbles.high(q), fifth.high)};
    }
};

struct Q5_1 {
    using Row = block_q5_1;
    using Column = block_q8_1;
    static constexpr int largest = 31;
    static constexpr int bias = 0;
    static constexpr bool minima = true;
    Nibbles nibbles;
    FifthBits fifth_bits;
    Narrow unpack(const Row & x) const {
        const v128_t q = wasm_v128_load(x.qs);
        const Narrow fifth = fifth_bits.unpack(x.qh);
        return {wasm_v128_or(nibbles.low(q), fifth.low), wasm_v128_or(nibbles.high(q), fifth.high)};
    }
};

struct Q8_0 {
    using Row = block_q8_0;
    using Column = block_q8_0;
    static constexpr int bias = 0;
    static constexpr bool minima = false;
    Wide unpack(const Row & x) const {
        return {{wasm_i16x8_load8x8(x.qs), wasm_i16x8_load8x8(x.qs + 8),
                 wasm_i16x8_load8x8(x.qs + 16), wasm_i16x8_load8x8(x.qs + 24)}};
    }
};

struct IQ4_NL {
    using Row = block_iq4_nl;
    using Column = block_q8_0;
    static constexpr int bias = 0;
    static constexpr bool minima = false;
    Nibbles nibbles;
    v128_t table = wasm_v128_load(kvalues_iq4nl);
    Wide unpack(const Row & x) const {
        const v128_t q = wasm_v128_load(x.qs);
        return widen_signed(choose(table, nibbles.low(q)), choose(table, nibbles.high(q)));
    }
};

// ROWS rows of weights times COLUMNS columns of activations, of n numbers each; the strides are in bytes, that of the
// result in floats.
template <class Format, int ROWS, int COLUMNS>
static void block_tile(int n, float * out, size_t out_stride, const char * x, size_t x_stride, const char * y,
                       size_t y_stride, size_t row_step = 1) {
    using Row = typename Format::Row;
    using Column = typename Format::Column;
    const Format format;
    const v128_t ones = held<0x00010001>(), bias = held<(uint16_t) -Format::bias * 0x10001u>();
    v128_t sum[ROWS][COLUMNS];
    for (int r = 0; r < ROWS; ++r) {
        for (int c = 0; c < COLUMNS; ++c) sum[r][c] = wasm_f32x4_splat(0);
    }
    for (int i = 0; i < n / 32; ++i) {
        v128_t start[COLUMNS], scale[COLUMNS], quarter[COLUMNS];
        const int8_t * numbers[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) {
            const Column & column = ((const Column *) (y + c * y_stride))[i];
            numbers[c] = column.qs;
            scale[c] = splat_half(column.d);
            start[c] = Format::bias == 0 ? wasm_i32x4_splat(0) : scaled_sum(column.qs, bias);
            // all four lanes add the minimum's part, so each adds a quarter
            if constexpr (Format::minima) quarter[c] = wasm_f32x4_splat(0.25f * GGML_CPU_FP16_TO_FP32(column.s));
        }
        for (int r = 0; r < ROWS; ++r) {
            const Row & row = ((const Row *) (x + r * x_stride))[i];
            const auto weights = format.unpack(row);
            const v128_t d = splat_half(row.d);
            for (int c = 0; c < COLUMNS; ++c) {
                const v128_t products = wasm_f32x4_convert_i32x4(dot(weights, numbers[c], start[c], ones));
                sum[r][c] = multiply_add(products, wasm_f32x4_mul(d, scale[c]), sum[r][c]);
                if constexpr (Format::minima) sum[r][c] = multiply_add(splat_half(row.m), quarter[c], sum[r][c]);
            }
        }
    }
    for (int r = 0; r < ROWS; ++r) {
        for (int c = 0; c < COLUMNS; ++c) out[c * out_stride + r * row_step] = sum_of_lanes(sum[r][c]);
    }
}
