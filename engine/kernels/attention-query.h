// Few queries: each is taken alone, with the keys that it sees.
#pragma once

#include "attention.h"

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
