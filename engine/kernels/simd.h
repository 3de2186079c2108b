// What every kernel is written with: sums of products of small integers, and conversions.
//
// With -mrelaxed-simd a product uses i16x8.relaxed_dot_i8x16_i7x16. Its result is the same on every processor as long as
// the second operand lies in 0..127 (some processors read it as signed, others as unsigned) and the sum of two products
// fits 16 bits (some saturate, others wrap). Hence the rule of this folder: the second operand is the weight, without its
// sign, and the sign comes back through a correction (a multiple of the sum of the activations).
#pragma once

// the C form, whose unions have no name
#define GGML_COMMON_IMPL_C
#include "ggml-common.h"
#include "ggml-cpu-impl.h"
#include "ggml-quants.h"
#include "half.h"
#include "quants.h"
#include "simd-mappings.h"

#include <cstring>
#include <wasm_simd128.h>

#define ENGINE_INLINE static inline __attribute__((always_inline))

// a * b + c
ENGINE_INLINE v128_t multiply_add(v128_t a, v128_t b, v128_t c) {
#ifdef __wasm_relaxed_simd__
    return wasm_f32x4_relaxed_madd(a, b, c);
#else
    return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
#endif
}

ENGINE_INLINE float sum_of_lanes(v128_t v) {
    return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
           (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

ENGINE_INLINE v128_t splat_half(ggml_half h) { return wasm_f32x4_splat(GGML_CPU_FP16_TO_FP32(h)); }

// A constant that the compiler leaves outside loops. It takes them for free, but engines that do not move code put them
// together from two words at every use.
template <uint32_t A, uint32_t B = A, uint32_t C = A, uint32_t D = A> ENGINE_INLINE v128_t held() {
    alignas(16) static constexpr uint32_t words[4] = {A, B, C, D};
    const void * at = words;
    __asm__("" : "+r"(at));
    return wasm_v128_load(at);
}

// The same for four floats.
constexpr uint32_t bits_of(float value) { return __builtin_bit_cast(uint32_t, value); }
#define HELD_FLOAT(VALUE) held<bits_of(VALUE)>()

// The halves of 16 bytes.
struct Nibbles {
    v128_t mask = held<0x0F0F0F0F>();
    v128_t low(v128_t q) const { return wasm_v128_and(q, mask); }
    v128_t high(v128_t q) const { return wasm_v128_and(wasm_u16x8_shr(q, 4), mask); }
};

// Bytes of the table by their numbers, which must be below 16.
ENGINE_INLINE v128_t choose(v128_t table, v128_t numbers) {
#ifdef __wasm_relaxed_simd__
    return wasm_i8x16_relaxed_swizzle(table, numbers);
#else
    return wasm_i8x16_swizzle(table, numbers);
#endif
}

// 32 weights as bytes 0..127
struct Narrow {
    v128_t low, high;
};
// 32 weights as signed 16 bit numbers
struct Wide {
    v128_t part[4];
};

ENGINE_INLINE Wide widen_signed(v128_t low, v128_t high) {
    return {{wasm_i16x8_extend_low_i8x16(low), wasm_i16x8_extend_high_i8x16(low),
             wasm_i16x8_extend_low_i8x16(high), wasm_i16x8_extend_high_i8x16(high)}};
}

// start + the products of 32 weights and 32 activations, spread over four lanes; `ones` is eight of them
ENGINE_INLINE v128_t dot(const Wide & w, const int8_t * y, v128_t start, v128_t) {
    const v128_t a = wasm_i32x4_dot_i16x8(w.part[0], wasm_i16x8_load8x8(y));
    const v128_t b = wasm_i32x4_dot_i16x8(w.part[1], wasm_i16x8_load8x8(y + 8));
    const v128_t c = wasm_i32x4_dot_i16x8(w.part[2], wasm_i16x8_load8x8(y + 16));
    const v128_t d = wasm_i32x4_dot_i16x8(w.part[3], wasm_i16x8_load8x8(y + 24));
    return wasm_i32x4_add(wasm_i32x4_add(wasm_i32x4_add(a, b), wasm_i32x4_add(c, d)), start);
}

ENGINE_INLINE v128_t dot(const Narrow & w, const int8_t * y, v128_t start, v128_t ones) {
#ifdef __wasm_relaxed_simd__
    // at most 4 * 31 * 128 in 16 bits
    const v128_t pairs = wasm_i16x8_add(wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(y), w.low),
                                        wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(y + 16), w.high));
    return wasm_i32x4_add(wasm_i32x4_dot_i16x8(pairs, ones), start);
#else
    return dot(widen_signed(w.low, w.high), y, start, ones);
#endif
}

// The sum of 32 activations, each times the number that fills `factor`, spread over four lanes
ENGINE_INLINE v128_t scaled_sum(const int8_t * y, v128_t factor) {
    const v128_t pairs = wasm_i16x8_add(wasm_i16x8_extadd_pairwise_i8x16(wasm_v128_load(y)),
                                        wasm_i16x8_extadd_pairwise_i8x16(wasm_v128_load(y + 16)));
    return wasm_i32x4_dot_i16x8(pairs, factor);
}
