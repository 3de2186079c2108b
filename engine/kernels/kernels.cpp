// ggml's CPU kernels for WASM, in the place of its own arch/wasm/quants.c: quantisation of activations, products of two
// rows, and products of several rows and columns.
#include "blocks.h"
#include "exponential.h"
#include "halves.h"
#include "iq4_xs.h"
#include "engine.h"
#include "panel.h"
#include "rows.h"
#include "superblock-tile.h"

extern "C" {

void quantize_row_q8_0(const float * GGML_RESTRICT x, void * GGML_RESTRICT y, int64_t k) {
    quantize_row_of_q8_0(x, (block_q8_0 *) y, k);
}
void quantize_row_q8_1(const float * GGML_RESTRICT x, void * GGML_RESTRICT y, int64_t k) {
    quantize_row_of_q8_1(x, (block_q8_1 *) y, k);
}
void quantize_row_q8_K(const float * GGML_RESTRICT x, void * GGML_RESTRICT y, int64_t k) {
    for (int64_t i = 0; i < k / QK_K; ++i) quantize_block_of_q8_K(x + QK_K * i, ((block_q8_K *) y)[i]);
}

#define ENGINE_VEC_DOT(NAME, TILE) \
    void ggml_vec_dot_##NAME(int n, float * GGML_RESTRICT s, size_t bs, const void * GGML_RESTRICT vx, size_t bx, \
                             const void * GGML_RESTRICT vy, size_t by, int nrc) { \
        GGML_UNUSED(bs); GGML_UNUSED(bx); GGML_UNUSED(by); GGML_UNUSED(nrc); \
        TILE; \
    }
#define ENGINE_BLOCKS(NAME, FORMAT) \
    ENGINE_VEC_DOT(NAME, (block_tile<FORMAT, 1, 1>(n, s, 0, (const char *) vx, 0, (const char *) vy, 0)))
#define ENGINE_SUPERBLOCKS(NAME, FORMAT) \
    ENGINE_VEC_DOT(NAME, (superblock_tile<FORMAT, 1>(n, s, 0, (const char *) vx, (const char *) vy, 0)))

ENGINE_BLOCKS(q4_0_q8_0, Q4_0)
ENGINE_BLOCKS(q4_1_q8_1, Q4_1)
ENGINE_BLOCKS(q5_0_q8_0, Q5_0)
ENGINE_BLOCKS(q5_1_q8_1, Q5_1)
ENGINE_BLOCKS(q8_0_q8_0, Q8_0)
ENGINE_BLOCKS(iq4_nl_q8_0, IQ4_NL)
ENGINE_SUPERBLOCKS(q2_K_q8_K, Q2_K)
ENGINE_SUPERBLOCKS(q3_K_q8_K, Q3_K)
ENGINE_SUPERBLOCKS(q4_K_q8_K, Q4_K)
ENGINE_SUPERBLOCKS(q5_K_q8_K, Q5_K)
ENGINE_SUPERBLOCKS(q6_K_q8_K, Q6_K)
ENGINE_VEC_DOT(iq4_xs_q8_K, (iq4_xs_tile<1>(n, s, 0, (const char *) vx, (const char *) vy, 0)))
}

// One tile after the other. Columns are taken a few at a time, so that they stay in the cache under all rows.
struct Product {
    int n;
    float * out;
    size_t out_stride;
    const char * x;
    size_t x_stride;
    int rows;
    const char * y;
    size_t y_stride;
    int columns;

    float * at(int row, int column) const { return out + column * out_stride + row; }
    const char * row(int r) const { return x + r * x_stride; }
    const char * column(int c) const { return y + c * y_stride; }
};

static constexpr int cached_columns = 32;

template <class Tiles> static void over_columns(const Product & p, Tiles tiles) {
    for (int from = 0; from < p.columns; from += cached_columns) {
        const int to = from + cached_columns < p.columns ? from + cached_columns : p.columns;
        tiles(from, to);
    }
}

// One column: the weights come from memory. A processor reads ahead one stream in each page, so the rows of a tile lie a
// quarter of all rows apart, where each has its own page; side by side they take half again as long.
template <class Format> static void column_product(const Product & p) {
    const int quarter = p.rows / 4;
    for (int r = 0; r < quarter; ++r) {
        block_tile<Format, 4, 1>(p.n, p.at(r, 0), 0, p.row(r), quarter * p.x_stride, p.y, 0, quarter);
    }
    for (int r = 4 * quarter; r < p.rows; ++r) block_tile<Format, 1, 1>(p.n, p.at(r, 0), 0, p.row(r), 0, p.y, 0);
}

template <class Format> static void tiled_product(const Product & p) {
    over_columns(p, [&](int from, int to) {
        int r = 0;
        for (; r + 4 <= p.rows; r += 4) {
            int c = from;
            for (; c + 4 <= to; c += 4) {
                block_tile<Format, 4, 4>(p.n, p.at(r, c), p.out_stride, p.row(r), p.x_stride, p.column(c), p.y_stride);
            }
            for (; c < to; ++c) {
                block_tile<Format, 4, 1>(p.n, p.at(r, c), p.out_stride, p.row(r), p.x_stride, p.column(c), p.y_stride);
            }
        }
        for (; r < p.rows; ++r) {
            for (int c = from; c < to; ++c) {
                block_tile<Format, 1, 1>(p.n, p.at(r, c), 0, p.row(r), 0, p.column(c), 0);
            }
        }
    });
}

template <class Format> static void block_product(const Product & p) {
    if (p.columns == 1) column_product<Format>(p);
    else tiled_product<Format>(p);
}

// Of formats whose numbers have no sign.
template <class Format> static void narrow_product(const Product & p) {
#ifdef __wasm_relaxed_simd__
    // For fewer columns it is not worth its while to lay the rows out anew.
    if (p.columns >= 4) {
        const int whole = p.rows - p.rows % panel_rows;
        for (int c = 0; c < p.columns; c += panel_columns) {
            const int count = p.columns - c < panel_columns ? p.columns - c : panel_columns;
            panel_product<Format>(p.n, p.at(0, c), p.out_stride, p.x, p.x_stride, whole, p.column(c), p.y_stride, count);
        }
        for (int r = whole; r < p.rows; ++r) {
            for (int c = 0; c < p.columns; ++c) block_tile<Format, 1, 1>(p.n, p.at(r, c), 0, p.row(r), 0, p.column(c), 0);
        }
        return;
    }
#endif
    block_product<Format>(p);
}

// Tiles of one row, for eight columns and for one.
#define ENGINE_ROW_PRODUCT(NAME, TEMPLATE, EIGHT, ONE) \
    TEMPLATE static void NAME(const Product & p) { \
        over_columns(p, [&](int from, int to) { \
            for (int r = 0; r < p.rows; ++r) { \
                int c = from; \
                for (; c + 8 <= to; c += 8) EIGHT(p.n, p.at(r, c), p.out_stride, p.row(r), p.column(c), p.y_stride); \
                for (; c < to; ++c) ONE(p.n, p.at(r, c), p.out_stride, p.row(r), p.column(c), p.y_stride); \
            } \
        }); \
    }
ENGINE_ROW_PRODUCT(superblock_product, template <class Format>, (superblock_tile<Format, 8>), (superblock_tile<Format, 1>))
ENGINE_ROW_PRODUCT(iq4_xs_product, , iq4_xs_tile<8>, iq4_xs_tile<1>)
ENGINE_ROW_PRODUCT(half_product, , half_tile<8>, half_tile<1>)

using ProductOf = void (*)(const Product &);

static ProductOf product_of(ggml_type type) {
    switch (type) {
        case GGML_TYPE_F16: return half_product;
        case GGML_TYPE_Q4_0: return narrow_product<Q4_0>;
        case GGML_TYPE_Q4_1: return narrow_product<Q4_1>;
        case GGML_TYPE_Q5_0: return narrow_product<Q5_0>;
        case GGML_TYPE_Q5_1: return narrow_product<Q5_1>;
        case GGML_TYPE_Q8_0: return block_product<Q8_0>;
        case GGML_TYPE_IQ4_NL: return block_product<IQ4_NL>;
        case GGML_TYPE_Q2_K: return superblock_product<Q2_K>;
        case GGML_TYPE_Q3_K: return superblock_product<Q3_K>;
        case GGML_TYPE_Q4_K: return superblock_product<Q4_K>;
        case GGML_TYPE_Q5_K: return superblock_product<Q5_K>;
        case GGML_TYPE_Q6_K: return superblock_product<Q6_K>;
        case GGML_TYPE_IQ4_XS: return iq4_xs_product;
        default: return nullptr;
    }
}

extern "C" {

bool engine_product_knows(ggml_type weights, ggml_type activations) {
    // A convolution multiplies halves by halves.
    if (weights == GGML_TYPE_F16 && activations != GGML_TYPE_F32) return false;
    return product_of(weights) != nullptr;
}

ggml_type engine_activations(ggml_type weights, ggml_type given, ggml_type usual) {
    return weights == GGML_TYPE_F16 && given == GGML_TYPE_F32 ? GGML_TYPE_F32 : usual;
}

void engine_product(ggml_type type, int n, float * out, size_t out_stride, const void * x, size_t x_stride, int rows,
                    const void * y, size_t y_stride, int columns) {
    product_of(type)({n, out, out_stride, (const char *) x, x_stride, rows, (const char *) y, y_stride, columns});
}

int engine_silu(int n, float * out, const float * x) {
    const Exponential exponential;
    int i = 0;
    for (; i + 4 <= n; i += 4) wasm_v128_store(out + i, exponential.silu(wasm_v128_load(x + i)));
    return i;
}

int engine_swiglu(int n, float * out, const float * x, const float * gate) {
    const Exponential exponential;
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        wasm_v128_store(out + i, wasm_f32x4_mul(exponential.silu(wasm_v128_load(x + i)), wasm_v128_load(gate + i)));
    }
    return i;
}

int engine_exponentials(int n, float * out, const float * x, float largest, double * sum) {
    const Exponential exponential;
    const v128_t shift = wasm_f32x4_splat(largest);
    v128_t total = wasm_f32x4_splat(0);
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        const v128_t value = exponential.of(wasm_f32x4_sub(wasm_v128_load(x + i), shift));
        wasm_v128_store(out + i, value);
        total = wasm_f32x4_add(total, value);
    }
    *sum += sum_of_lanes(total);
    return i;
}
}
