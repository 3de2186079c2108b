// Attention over a cache of F16, Q8_0 or F32 keys and values. Keys are taken a block at a time and the softmax along the
// way: each row (a head of a query) keeps a state of 2 + dv floats: the largest score so far, the sum of the exponentials,
// and the sum of the values, each times its exponential.
//
// All heads that share a head of the cache are taken together, so that its numbers are converted once for them.
#pragma once

#include "exponential.h"
#include "simd.h"

static constexpr int attention_block = 64; // keys
static constexpr int attention_rows = 64;  // of a tile

// One sequence. Strides are in bytes.
struct Attention {
    int dk, dv, queries, heads, cache_heads, keys;
    float scale, softcap; // softcap: 0 for none
    const char *q, *k, *v, *mask; // mask: halves, or null
    size_t q_query, q_head, k_key, k_head, v_key, v_head, mask_query;
    float max_bias;

    int group() const { return heads / cache_heads; }
    int state_size() const { return 2 + dv; }
    const float * query(int i, int head) const { return (const float *) (q + i * q_query + head * q_head); }
    const char * key(int i, int cache_head) const { return k + i * k_key + cache_head * k_head; }
    const char * value(int i, int cache_head) const { return v + i * v_key + cache_head * v_head; }
    const ggml_half * mask_of(int i) const { return (const ggml_half *) (mask + i * mask_query); }
    // What a head multiplies the mask by (ALiBi).
    float slope(int head) const {
        if (max_bias <= 0) return 1;
        const int whole = 1 << (31 - __builtin_clz(heads));
        return head < whole ? powf(2, -max_bias / whole * (head + 1)) : powf(2, -max_bias / 2 / whole * (2 * (head - whole) + 1));
    }
};

// Eight floats.
struct Eight {
    v128_t low, high;
};

// Rows of a cache as floats, eight from number i on. Halves that are not finite come out as large numbers: a cache holds
// none, and checking would double the work.
struct HalfCache {
    v128_t bits = held<0x8FFFE000>(), power = held<0x77800000>(); // 2^112
    v128_t float_of(v128_t extended) const {
        return wasm_f32x4_mul(wasm_v128_and(wasm_i32x4_shl(extended, 13), bits), power);
    }
    Eight at(const char * row, int i) const {
        const ggml_half * halves = (const ggml_half *) row + i;
        return {float_of(wasm_i32x4_load16x4(halves)), float_of(wasm_i32x4_load16x4(halves + 4))};
    }
};
struct Q8Cache {
    HalfCache half;
    Eight at(const char * row, int i) const {
        const block_q8_0 & block = ((const block_q8_0 *) row)[i / QK8_0];
        const v128_t scale = half.float_of(wasm_i32x4_splat((int16_t) block.d));
        const v128_t numbers = wasm_i16x8_load8x8(block.qs + i % QK8_0);
        return {wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(numbers)), scale),
                wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(numbers)), scale)};
    }
};
struct FloatCache {
    Eight at(const char * row, int i) const {
        return {wasm_v128_load((const float *) row + i), wasm_v128_load((const float *) row + i + 4)};
    }
};

static void start_state(float * state, int dv) {
    state[0] = -INFINITY;
    memset(state + 1, 0, (1 + dv) * sizeof(float));
}

// The scores of `count` keys, a multiple of four, become their weights. Returns the factor for what the state summed before.
static float weigh(float * scores, int count, float * state) {
    v128_t most = wasm_v128_load(scores);
    for (int i = 4; i < count; i += 4) most = wasm_f32x4_pmax(most, wasm_v128_load(scores + i));
    float largest = state[0];
    for (int lane = 0; lane < 4; ++lane) largest = ((const float *) &most)[lane] > largest ? ((const float *) &most)[lane] : largest;
    if (largest == -INFINITY) {
        memset(scores, 0, count * sizeof(float));
        return 1;
    }
    const Exponential exponential;
    const v128_t shift = wasm_f32x4_splat(largest);
    v128_t sum = wasm_f32x4_splat(0);
    for (int i = 0; i < count; i += 4) {
        const v128_t weight = exponential.of(wasm_f32x4_sub(wasm_v128_load(scores + i), shift));
        wasm_v128_store(scores + i, weight);
        sum = wasm_f32x4_add(sum, weight);
    }
    const float factor = state[0] == largest ? 1 : expf(state[0] - largest);
    state[0] = largest;
    state[1] = state[1] * factor + sum_of_lanes(sum);
    return factor;
}

static void cap_scores(float * scores, int count, float softcap) {
    for (int i = 0; i < count; ++i) scores[i] = softcap * tanhf(scores[i] / softcap);
}

// Keys that a query sees, with what the mask adds to their scores.
struct SeenKeys {
    int count = 0;
    int number[attention_block];
    float bias[attention_block];

    // Reads on from key `from`, up to a full block; returns where it came to.
    int read(const ggml_half * mask, int from, int to) {
        count = 0;
        for (; from < to && count < attention_block; ++from) {
            const float bias_of_key = mask == nullptr ? 0 : GGML_CPU_FP16_TO_FP32(mask[from]);
            if (bias_of_key == -INFINITY) continue;
            number[count] = from;
            bias[count++] = bias_of_key;
        }
        return from;
    }
};

// Some heads of one query, all of one head of the cache, and a block of keys.
template <class Keys, class Values, int HEADS>
static void attend_to_block(const Attention & a, const SeenKeys & seen, int query, int head, float * states) {
    const Keys keys;
    const Values values;
    const int cache_head = head / a.group(), size = a.state_size(), padded = (seen.count + 3) & ~3;
    const float * q[HEADS];
    for (int h = 0; h < HEADS; ++h) q[h] = a.query(query, head + h);
    alignas(16) float scores[HEADS][attention_block];
    for (int j = 0; j < seen.count; ++j) {
        const char * key = a.key(seen.number[j], cache_head);
        v128_t low[HEADS], high[HEADS];
        for (int h = 0; h < HEADS; ++h) low[h] = high[h] = wasm_f32x4_splat(0);
        for (int i = 0; i < a.dk; i += 8) {
            const Eight numbers = keys.at(key, i);
            for (int h = 0; h < HEADS; ++h) {
                low[h] = multiply_add(numbers.low, wasm_v128_load(q[h] + i), low[h]);
                high[h] = multiply_add(numbers.high, wasm_v128_load(q[h] + i + 4), high[h]);
            }
        }
        for (int h = 0; h < HEADS; ++h) scores[h][j] = a.scale * sum_of_lanes(wasm_f32x4_add(low[h], high[h]));
    }
    float factor[HEADS];
    for (int h = 0; h < HEADS; ++h) {
        if (a.softcap != 0) cap_scores(scores[h], seen.count, a.softcap);
        const float slope = a.slope(head + h);
        for (int j = 0; j < seen.count; ++j) scores[h][j] += slope * seen.bias[j];
        for (int j = seen.count; j < padded; ++j) scores[h][j] = -INFINITY;
        factor[h] = weigh(scores[h], padded, states + h * size);
    }
    for (int i = 0; i < a.dv; i += 8) {
        v128_t low[HEADS], high[HEADS];
        for (int h = 0; h < HEADS; ++h) {
            const float * sum = states + h * size + 2 + i;
            low[h] = wasm_f32x4_mul(wasm_v128_load(sum), wasm_f32x4_splat(factor[h]));
            high[h] = wasm_f32x4_mul(wasm_v128_load(sum + 4), wasm_f32x4_splat(factor[h]));
        }
        for (int j = 0; j < seen.count; ++j) {
            const Eight numbers = values.at(a.value(seen.number[j], cache_head), i);
            for (int h = 0; h < HEADS; ++h) {
                const v128_t weight = wasm_v128_load32_splat(&scores[h][j]);
                low[h] = multiply_add(numbers.low, weight, low[h]);
                high[h] = multiply_add(numbers.high, weight, high[h]);
            }
        }
        for (int h = 0; h < HEADS; ++h) {
            float * sum = states + h * size + 2 + i;
            wasm_v128_store(sum, low[h]);
            wasm_v128_store(sum + 4, high[h]);
        }
    }
}

// All heads of one query and the keys from `from` to `to`; `states` has one state for each head.
template <class Keys, class Values>
static void attend_with_query(const Attention & a, int query, int from, int to, float * states) {
    const int size = a.state_size(), group = a.group();
    for (int h = 0; h < a.heads; ++h) start_state(states + h * size, a.dv);
    SeenKeys seen;
    while (from < to) {
        from = seen.read(a.mask == nullptr ? nullptr : a.mask_of(query), from, to);
        if (seen.count == 0) return;
        for (int head = 0; head < a.heads;) {
            const int rest = group - head % group;
            float * at = states + head * size;
            switch (rest < 4 ? rest : 4) {
                case 1: attend_to_block<Keys, Values, 1>(a, seen, query, head, at); break;
                case 2: attend_to_block<Keys, Values, 2>(a, seen, query, head, at); break;
                case 3: attend_to_block<Keys, Values, 3>(a, seen, query, head, at); break;
                default: attend_to_block<Keys, Values, 4>(a, seen, query, head, at);
            }
            head += rest < 4 ? rest : 4;
        }
    }
}

// Many queries: rows of a tile are the heads of one query after those of the last. Keys and values are converted once for
// the tile, into strips of eight: the strip's first row, its second, and so on.
struct AttentionTile {
    // floats of scratch
    static size_t size(int dk, int dv) {
        return (attention_rows + attention_block) * (dk + dv + 2) + attention_rows * attention_block + attention_block;
    }
    float *q, *k, *v, *scores, *states, *bias;
    AttentionTile(float * scratch, int dk, int dv) {
        q = scratch;
        k = q + attention_rows * dk;
        v = k + attention_block * dk;
        scores = v + attention_block * dv;
        bias = scores + attention_rows * attention_block;
        states = bias + attention_block;
    }
};

// out[row][0..7] += a[row][i] * strip[i][0..7] for i below n, four rows
static void add_strip_product(float * out, size_t out_stride, const float * a, size_t a_stride, const float * strip, int n) {
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

// Rows `first` to `first + rows` of a head of the cache, of at most attention_rows, and all keys. The states are the tile's.
template <class Keys, class Values>
static void attend_with_tile(const Attention & a, int cache_head, int first, int rows, const AttentionTile & tile) {
    const Keys keys;
    const Values values;
    const int size = a.state_size(), group = a.group(), padded = (rows + 3) & ~3;
    const auto query_of = [&](int r) { return (first + r) / group; };
    const auto head_of = [&](int r) { return cache_head * group + (first + r) % group; };
    for (int r = 0; r < padded; ++r) {
        start_state(tile.states + r * size, a.dv);
        if (r < rows) {
            for (int i = 0; i < a.dk; ++i) tile.q[r * a.dk + i] = a.scale * a.query(query_of(r), head_of(r))[i];
        } else {
            memset(tile.q + r * a.dk, 0, a.dk * sizeof(float));
        }
    }
    const int queries_from = query_of(0), queries_to = query_of(rows - 1);
    for (int from = 0; from < a.keys; from += attention_block) {
        const int count = a.keys - from < attention_block ? a.keys - from : attention_block;
        const int strips = (count + 7) / 8, padded_count = 8 * strips;
        if (a.mask != nullptr) {
            bool seen = false;
            for (int i = queries_from; i <= queries_to && !seen; ++i) {
                const ggml_half * mask = a.mask_of(i) + from;
                for (int j = 0; j < count && !seen; ++j) seen = mask[j] != 0xFC00; // minus infinity
            }
            if (!seen) continue;
        }
        for (int j = 0; j < padded_count; j += 4) {
            const char * row[4];
            for (int n = 0; n < 4; ++n) row[n] = a.key(from + (j + n < count ? j + n : count - 1), cache_head);
            float * strip = tile.k + j / 8 * 8 * a.dk + j % 8;
            for (int i = 0; i < a.dk; i += 8) {
                const Eight e0 = keys.at(row[0], i), e1 = keys.at(row[1], i), e2 = keys.at(row[2], i), e3 = keys.at(row[3], i);
                store_transposed(e0.low, e1.low, e2.low, e3.low, strip + 8 * i);
                store_transposed(e0.high, e1.high, e2.high, e3.high, strip + 8 * i + 32);
            }
        }
        for (int j = 0; j < padded_count; ++j) {
            const char * row = a.value(from + (j < count ? j : count - 1), cache_head);
            for (int i = 0; i < a.dv; i += 8) {
                const Eight numbers = values.at(row, i);
                float * strip = tile.v + i * attention_block + 8 * j;
                wasm_v128_store(strip, numbers.low);
                wasm_v128_store(strip + 4, numbers.high);
            }
        }
        memset(tile.scores, 0, padded * attention_block * sizeof(float));
        for (int r = 0; r < padded; r += 4) {
            for (int s = 0; s < strips; ++s) {
                add_strip_product(tile.scores + r * attention_block + 8 * s, attention_block, tile.q + r * a.dk, a.dk,
                                  tile.k + 8 * s * a.dk, a.dk);
            }
        }
        int bias_of = -1;
        for (int r = 0; r < padded; ++r) {
            float * scores = tile.scores + r * attention_block;
            if (a.softcap != 0) cap_scores(scores, count, a.softcap);
            if (a.mask != nullptr && r < rows) {
                if (query_of(r) != bias_of) {
                    bias_of = query_of(r);
                    const ggml_half * mask = a.mask_of(bias_of) + from;
                    int j = 0;
                    for (; j + 4 <= count; j += 4) wasm_v128_store(tile.bias + j, engine_halves_to_floats(mask + j));
                    for (; j < count; ++j) tile.bias[j] = GGML_CPU_FP16_TO_FP32(mask[j]);
                }
                const float slope = a.slope(head_of(r));
                for (int j = 0; j < count; ++j) scores[j] += slope * tile.bias[j];
            }
            for (int j = count; j < padded_count; ++j) scores[j] = -INFINITY;
            float * state = tile.states + r * size;
            const float factor = weigh(scores, padded_count, state);
            if (factor != 1) {
                for (int i = 0; i < a.dv; ++i) state[2 + i] *= factor;
            }
        }
        for (int r = 0; r < padded; r += 4) {
            for (int i = 0; i < a.dv; i += 8) {
                add_strip_product(tile.states + r * size + 2 + i, size, tile.scores + r * attention_block, attention_block,
                                  tile.v + i * attention_block, padded_count);
            }
        }
    }
}

// Adds the state of the same row over other keys.
static void add_state(float * state, const float * other, int dv) {
    if (other[1] == 0) return;
    const float largest = state[0] > other[0] ? state[0] : other[0];
    const float mine = expf(state[0] - largest), theirs = expf(other[0] - largest);
    state[0] = largest;
    for (int i = 1; i < 2 + dv; ++i) state[i] = state[i] * mine + other[i] * theirs;
}

// The row's result. `sink` takes a share of the weights and has no value; null for none.
static void finish_state(const float * state, const float * sink, int dv, float * out) {
    const float largest = sink != nullptr && *sink > state[0] ? *sink : state[0];
    const float mine = state[1] == 0 ? 0 : expf(state[0] - largest);
    const float sum = state[1] * mine + (sink == nullptr ? 0 : expf(*sink - largest));
    const float factor = sum == 0 ? 0 : mine / sum;
    for (int i = 0; i < dv; ++i) out[i] = state[2 + i] * factor;
}
