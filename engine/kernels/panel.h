// Products with several columns, for formats with 32 small weights in a block: rows are laid out anew, four side by side, so
// that one vector holds four weights of each and the sums of four rows end up in its lanes. With relaxed SIMD only.
#pragma once

#include "blocks.h"

#ifdef __wasm_relaxed_simd__

static constexpr int panel_rows = 4;
// Of a row or column at a time, so that rows, columns and what is made of them stay in the nearest cache.
static constexpr int panel_blocks = 32;
static constexpr int panel_columns = 16;

// Four rows.
template <class Format> struct PanelRows {
    using Row = typename Format::Row;
    // weights 4k to 4k + 3 of each row
    v128_t weights[panel_blocks][8];
    v128_t scale[panel_blocks], minimum[panel_blocks];

    void fill(const Format & format, const char * x, size_t x_stride, int from, int blocks) {
        const engine_half_constants halves = engine_constants_of_halves();
        for (int i = 0; i < blocks; ++i) {
            v128_t low[panel_rows], high[panel_rows];
            ggml_half d[panel_rows], m[panel_rows];
            for (int r = 0; r < panel_rows; ++r) {
                const Row & row = ((const Row *) (x + r * x_stride))[from + i];
                const Narrow w = format.unpack(row);
                low[r] = w.low;
                high[r] = w.high;
                d[r] = row.d;
                if constexpr (Format::minima) m[r] = row.m;
            }
            side_by_side(low, weights[i]);
            side_by_side(high, weights[i] + 4);
            scale[i] = engine_halves_to_floats_with(halves, d);
            if constexpr (Format::minima) minimum[i] = engine_halves_to_floats_with(halves, m);
        }
    }
    static void side_by_side(const v128_t * rows, v128_t * out) {
        const v128_t a = wasm_i32x4_shuffle(rows[0], rows[1], 0, 4, 1, 5);
        const v128_t b = wasm_i32x4_shuffle(rows[2], rows[3], 0, 4, 1, 5);
        const v128_t c = wasm_i32x4_shuffle(rows[0], rows[1], 2, 6, 3, 7);
        const v128_t d = wasm_i32x4_shuffle(rows[2], rows[3], 2, 6, 3, 7);
        out[0] = wasm_i64x2_shuffle(a, b, 0, 2);
        out[1] = wasm_i64x2_shuffle(a, b, 1, 3);
        out[2] = wasm_i64x2_shuffle(c, d, 0, 2);
        out[3] = wasm_i64x2_shuffle(c, d, 1, 3);
    }
};

template <class Format> struct PanelColumns {
    using Column = typename Format::Column;
    float scale[panel_columns][panel_blocks];
    // The minima's part, and what the bias of the weights adds to each sum of products.
    float sum[panel_columns][panel_blocks];
    int32_t start[panel_columns][panel_blocks];

    void fill(const char * y, size_t y_stride, int columns, int from, int blocks) {
        for (int c = 0; c < columns; ++c) {
            const Column * column = (const Column *) (y + c * y_stride) + from;
            for (int i = 0; i < blocks; ++i) {
                scale[c][i] = GGML_CPU_FP16_TO_FP32(column[i].d);
                if constexpr (Format::minima) sum[c][i] = GGML_CPU_FP16_TO_FP32(column[i].s);
                if constexpr (Format::bias != 0) {
                    const v128_t sums = scaled_sum(column[i].qs, wasm_i16x8_splat(-Format::bias));
                    start[c][i] = wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) +
                                  wasm_i32x4_extract_lane(sums, 2) + wasm_i32x4_extract_lane(sums, 3);
                }
            }
        }
    }
};

// Four rows times COLUMNS columns from c0 on. Adds to the results, or sets them when these are the first blocks.
template <class Format, int COLUMNS>
static void panel_tile(const PanelRows<Format> & rows, const PanelColumns<Format> & columns, int c0, int from, int blocks,
                       const char * y, size_t y_stride, float * out, size_t out_stride) {
    using Column = typename Format::Column;
    // So many products of four fit 16 bits: twice the largest weight times 127 each.
    constexpr int steps = Format::largest < 16 ? 8 : 4;
    const v128_t ones = held<0x00010001>();
    v128_t sum[COLUMNS];
    for (int c = 0; c < COLUMNS; ++c) sum[c] = wasm_f32x4_splat(0);
    for (int i = 0; i < blocks; ++i) {
        const int8_t * numbers[COLUMNS];
        v128_t total[COLUMNS];
        for (int c = 0; c < COLUMNS; ++c) {
            numbers[c] = ((const Column *) (y + (c0 + c) * y_stride))[from + i].qs;
            total[c] = Format::bias == 0 ? wasm_i32x4_splat(0) : wasm_v128_load32_splat(&columns.start[c0 + c][i]);
        }
        for (int k0 = 0; k0 < 8; k0 += steps) {
            v128_t products[COLUMNS];
            for (int k = k0; k < k0 + steps; ++k) {
                const v128_t weights = rows.weights[i][k];
                for (int c = 0; c < COLUMNS; ++c) {
                    const v128_t y4 = wasm_v128_load32_splat(numbers[c] + 4 * k);
                    const v128_t four = wasm_i16x8_relaxed_dot_i8x16_i7x16(y4, weights);
                    products[c] = k == k0 ? four : wasm_i16x8_add(products[c], four);
                }
            }
            for (int c = 0; c < COLUMNS; ++c) {
                total[c] = wasm_i32x4_add(total[c], wasm_i32x4_dot_i16x8(products[c], ones));
            }
        }
        for (int c = 0; c < COLUMNS; ++c) {
            const v128_t scale = wasm_f32x4_mul(rows.scale[i], wasm_v128_load32_splat(&columns.scale[c0 + c][i]));
            sum[c] = multiply_add(wasm_f32x4_convert_i32x4(total[c]), scale, sum[c]);
            if constexpr (Format::minima) {
                sum[c] = multiply_add(rows.minimum[i], wasm_v128_load32_splat(&columns.sum[c0 + c][i]), sum[c]);
            }
        }
    }
    for (int c = 0; c < COLUMNS; ++c) {
        float * at = out + (c0 + c) * out_stride;
        wasm_v128_store(at, from == 0 ? sum[c] : wasm_f32x4_add(wasm_v128_load(at), sum[c]));
    }
}

// `row_count` rows, a multiple of four, times up to panel_columns columns.
template <class Format>
static void panel_product(int n, float * out, size_t out_stride, const char * x, size_t x_stride, int row_count,
                          const char * y, size_t y_stride, int column_count) {
    const Format format;
    PanelRows<Format> rows;
    PanelColumns<Format> columns;
    for (int from = 0; from < n / 32; from += panel_blocks) {
        const int blocks = n / 32 - from < panel_blocks ? n / 32 - from : panel_blocks;
        columns.fill(y, y_stride, column_count, from, blocks);
        for (int r = 0; r < row_count; r += panel_rows) {
            rows.fill(format, x + r * x_stride, x_stride, from, blocks);
            int c = 0;
            for (; c + 4 <= column_count; c += 4) {
                panel_tile<Format, 4>(rows, columns, c, from, blocks, y, y_stride, out + r, out_stride);
            }
            for (; c < column_count; ++c) {
                panel_tile<Format, 1>(rows, columns, c, from, blocks, y, y_stride, out + r, out_stride);
            }
        }
    }
}

#endif
