// How the packet path is compiled: every function into its entry point, as BPF has no other way to pass references; loops off
// the hot path stay loops.
#pragma once

#define PEN_INLINE inline __attribute__((always_inline))

// Makes the compiler forget what it knows of a number, so that it keeps the mask behind which the verifier sees the bound.
#define PEN_FORGET(number) asm volatile("" : "+r"(number))

// Behind the parameter list of a lambda.
#define PEN_INLINE_LAMBDA __attribute__((always_inline))

#ifdef __clang__
#define PEN_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define PEN_ROLLED
#endif
