// 16 bit floats to 32 bits and back, four at a time and exactly: zeros, denormals, infinities and NaN included. Also read
// by C.
#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

// A constant that stays outside loops, as simd.h says.
static inline v128_t engine_held_int(const int32_t * four) {
    __asm__("" : "+r"(four));
    return wasm_v128_load(four);
}

struct engine_half_constants {
    v128_t sign, rest, scale, largest, special;
};
static inline struct engine_half_constants engine_constants_of_halves(void) {
    static const int32_t words[5][4] = {
        {(int32_t) 0x80000000u, (int32_t) 0x80000000u, (int32_t) 0x80000000u, (int32_t) 0x80000000u},
        {0x0fffe000, 0x0fffe000, 0x0fffe000, 0x0fffe000},
        {0x77800000, 0x77800000, 0x77800000, 0x77800000}, // 2^112
        {0x0f7fffff, 0x0f7fffff, 0x0f7fffff, 0x0f7fffff},
        {0x7f800000, 0x7f800000, 0x7f800000, 0x7f800000},
    };
    const struct engine_half_constants result = {
        engine_held_int(words[0]), engine_held_int(words[1]), engine_held_int(words[2]),
        engine_held_int(words[3]), engine_held_int(words[4]),
    };
    return result;
}

static inline v128_t engine_halves_to_floats_with(struct engine_half_constants constants, const void * halves) {
    const v128_t bits = wasm_i32x4_load16x4(halves);
    const v128_t sign = wasm_v128_and(bits, constants.sign);
    const v128_t rest = wasm_v128_and(wasm_i32x4_shl(bits, 13), constants.rest);
    const v128_t value = wasm_f32x4_mul(rest, constants.scale);
    const v128_t special = wasm_v128_and(wasm_i32x4_gt(rest, constants.largest), constants.special);
    return wasm_v128_or(wasm_v128_or(value, sign), special);
}

static inline v128_t engine_halves_to_floats(const void * halves) {
    return engine_halves_to_floats_with(engine_constants_of_halves(), halves);
}

// Rounds to the nearest, ties to even.
static inline void engine_floats_to_halves(void * halves, v128_t x) {
    const v128_t sign = wasm_v128_and(x, wasm_i32x4_splat((int) 0x80000000u));
    const v128_t size = wasm_v128_xor(x, sign);
    const v128_t odd = wasm_v128_and(wasm_u32x4_shr(size, 13), wasm_i32x4_splat(1));
    // the exponent's bias falls by 112, and just under half of the last place is added
    const v128_t shifted = wasm_i32x4_add(size, wasm_i32x4_splat((int) 0xc8000fffu));
    const v128_t normal = wasm_u32x4_shr(wasm_i32x4_add(shifted, odd), 13);
    // adding 0.5 rounds at the last place of a denormal half
    const v128_t half = wasm_i32x4_splat(0x3f000000);
    const v128_t denormal = wasm_i32x4_sub(wasm_f32x4_add(size, half), half);
    const v128_t is_nan = wasm_i32x4_gt(size, wasm_i32x4_splat(0x7f800000));
    const v128_t too_large = wasm_v128_bitselect(wasm_i32x4_splat(0x7e00), wasm_i32x4_splat(0x7c00), is_nan);
    v128_t result = wasm_v128_bitselect(denormal, normal, wasm_i32x4_lt(size, wasm_i32x4_splat(0x38800000)));
    // 65520 and above
    result = wasm_v128_bitselect(too_large, result, wasm_i32x4_gt(size, wasm_i32x4_splat(0x477fefff)));
    result = wasm_v128_or(result, wasm_u32x4_shr(sign, 16));
    wasm_v128_store64_lane(halves, wasm_u16x8_narrow_i32x4(result, result), 0);
}
