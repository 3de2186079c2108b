// Many queries: rows of a tile are the heads of one query, then those of the next, all of one head of the cache. Keys and
// values are converted once for the tile, into strips of eight: the strip's first row, its second, and so on.
#pragma once

#include "attention.h"

static constexpr int attention_rows = 64;

// Floats of scratch for a tile.
static size_t attention_tile_size(int dk, int dv) {
    return (attention_rows + attention_block) * (dk + dv) + attention_rows * (2 + attention_block) + attention_block;
}

// out[row][0..7] += a[row][i] * strip[i][0..7] for i below n, four rows
static void add_strip_product(float * out, size_t out_stride, const float * a, size_t a_stride, const float * strip,
                              int n) {
    v128_t low[4], high[4];
    for (int r = 0; r < 4; ++r) {
        low[r] = wasm_v128_load(out + r * out_stride);
        high[r] = wasm_v128_load(out + r * out_stride + 4);
    }
    for (int i = 0; i < n; ++i) {
        const v128_t x = wasm_v128_load(strip + 8 * i), y = wasm_v128_load(strip + 8 * i + 4);
        for (int r = 0; r < 4; ++r) {
            const v128_t factor = wasm_v128_load32_splat(a + r * a_stride + i);
            low[r] = multiply_add(x, factor, low[r]);
            high[r] = multiply_add(y, factor, high[r]);
        }
    }
    for (int r = 0; r < 4; ++r) {
        wasm_v128_store(out + r * out_stride, low[r]);
        wasm_v128_store(out + r * out_stride + 4, high[r]);
    }
}

// Four rows of four as their columns, each at `out` + 8 times its number.
static void store_transposed(v128_t a, v128_t b, v128_t c, v128_t d, float * out) {
    const v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
    const v128_t ab2 = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7), cd2 = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
    wasm_v128_store(out, wasm_i64x2_shuffle(ab, cd, 0, 2));
    wasm_v128_store(out + 8, wasm_i64x2_shuffle(ab, cd, 1, 3));
    wasm_v128_store(out + 16, wasm_i64x2_shuffle(ab2, cd2, 0, 2));
    wasm_v128_store(out + 24, wasm_i64x2_shuffle(ab2, cd2, 1, 3));
}

template <class Keys, class Values> class AttentionTile {
public:
    // Rows `first` to `first + rows` of a head of the cache, of at most attention_rows.
    AttentionTile(const Attention & a, int cache_head, int first, int rows, float * scratch)
        : a(a), cache_head(cache_head), first(first), rows(rows), padded((rows + 3) & ~3) {
        q = scratch;
        k = q + attention_rows * a.dk;
        v = k + attention_block * a.dk;
        scores = v + attention_block * a.dv;
        bias = scores + attention_rows * attention_block;
        states = bias + attention_block;
    }

    // With all keys; then each row has its state.
    void attend() {
        start();
        for (int from = 0; from < a.keys; from += attention_block) {
            const int count = a.keys - from < attention_block ? a.keys - from : attention_block;
            if (!is_seen(from, count)) continue;
            pack_keys(from, count);
            pack_values(from, count);
            score(count);
            for (int r = 0; r < padded; ++r) weigh_row(r, from, count);
            add_values(count);
        }
    }
    const float * state(int r) const { return states + r * a.state_size(); }
    int query_of(int r) const { return (first + r) / a.group(); }
    int head_of(int r) const { return cache_head * a.group() + (first + r) % a.group(); }

private:
    const Attention & a;
    const int cache_head, first, rows, padded;
    float *q, *k, *v, *scores, *bias, *states;

    // Rows beyond the last are zeros.
    void start() {
        memset(q, 0, padded * a.dk * sizeof(float));
        for (int r = 0; r < padded; ++r) start_state(states + r * a.state_size(), a.dv);
        for (int r = 0; r < rows; ++r) {
            const float * query = a.query(query_of(r), head_of(r));
            for (int i = 0; i < a.dk; ++i) q[r * a.dk + i] = a.scale * query[i];
        }
    }

    bool is_seen(int from, int count) const {
        if (a.mask == nullptr) return true;
        for (int i = query_of(0); i <= query_of(rows - 1); ++i) {
            const ggml_half * mask = a.mask_of(i) + from;
            for (int j = 0; j < count; ++j) {
                if (mask[j] != 0xFC00) return true; // minus infinity
            }
        }
        return false;
    }

    // The last strip is filled up with its last row.
    static int padded_count(int count) { return (count + 7) & ~7; }
    static int within(int j, int count) { return j < count ? j : count - 1; }

    void pack_keys(int from, int count) {
        const Keys keys;
        for (int j = 0; j < padded_count(count); j += 4) {
            const char * row[4];
            for (int n = 0; n < 4; ++n) row[n] = a.key(from + within(j + n, count), cache_head);
            float * strip = k + j / 8 * 8 * a.dk + j % 8;
            for (int i = 0; i < a.dk; i += 8) {
                const Eight e0 = keys.at(row[0], i), e1 = keys.at(row[1], i);
                const Eight e2 = keys.at(row[2], i), e3 = keys.at(row[3], i);
                store_transposed(e0.low, e1.low, e2.low, e3.low, strip + 8 * i);
                store_transposed(e0.high, e1.high, e2.high, e3.high, strip + 8 * i + 32);
            }
        }
    }

    void pack_values(int from, int count) {
        const Values values;
        for (int j = 0; j < padded_count(count); ++j) {
            const char * row = a.value(from + within(j, count), cache_head);
            for (int i = 0; i < a.dv; i += 8) {
                const Eight numbers = values.at(row, i);
                float * strip = v + i * attention_block + 8 * j;
                wasm_v128_store(strip, numbers.low);
                wasm_v128_store(strip + 4, numbers.high);
            }
        }
    }

    void score(int count) {
        memset(scores, 0, padded * attention_block * sizeof(float));
        for (int r = 0; r < padded; r += 4) {
            for (int j = 0; j < count; j += 8) {
                float * of_row = scores + r * attention_block + j;
                add_strip_product(of_row, attention_block, q + r * a.dk, a.dk, k + j * a.dk, a.dk);
            }
        }
    }

    void weigh_row(int r, int from, int count) {
        float * of_row = scores + r * attention_block;
        if (a.softcap != 0) cap_scores(of_row, count, a.softcap);
        if (a.mask != nullptr && r < rows) {
            if (r == 0 || query_of(r) != query_of(r - 1)) read_bias(a.mask_of(query_of(r)) + from, count);
            const float slope = a.slope(head_of(r));
            for (int j = 0; j < count; ++j) of_row[j] += slope * bias[j];
        }
        for (int j = count; j < padded_count(count); ++j) of_row[j] = -INFINITY;
        float * state = states + r * a.state_size();
        const float factor = weigh(of_row, padded_count(count), state);
        if (factor == 1) return;
        for (int i = 0; i < a.dv; ++i) state[2 + i] *= factor;
    }

    void read_bias(const ggml_half * mask, int count) {
        int j = 0;
        for (; j + 4 <= count; j += 4) wasm_v128_store(bias + j, engine_halves_to_floats(mask + j));
        for (; j < count; ++j) bias[j] = GGML_CPU_FP16_TO_FP32(mask[j]);
    }

    void add_values(int count) {
        const int size = a.state_size();
        for (int r = 0; r < padded; r += 4) {
            for (int i = 0; i < a.dv; i += 8) {
                add_strip_product(states + r * size + 2 + i, size, scores + r * attention_block, attention_block,
                                  v + i * attention_block, padded_count(count));
            }
        }
    }
};
