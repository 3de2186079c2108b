// Attention over a cache of F16, Q8_0 or F32 keys and values. Keys are taken a block at a time, and the softmax along the
// way: each row (a head of a query) keeps a state of 2 + dv floats, which are the largest score so far, the sum of the
// exponentials, and the sum of the values, each times its exponential.
//
// Heads that share a head of the cache are taken together, so that its numbers are converted once for them.
#pragma once

#include "exponential.h"
#include "simd.h"

static constexpr int attention_block = 64; // keys

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
        const float steps = head < whole ? head + 1 : head - whole + 0.5f;
        return powf(2, -max_bias / whole * steps);
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

// The scores of `count` keys, a multiple of four, become their weights. Returns the factor for what the state has summed.
static float weigh(float * scores, int count, float * state) {
    v128_t most = wasm_v128_load32_splat(state);
    for (int i = 0; i < count; i += 4) most = wasm_f32x4_pmax(most, wasm_v128_load(scores + i));
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    const float largest = wasm_f32x4_extract_lane(wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2)), 0);
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
