// The few atomic accesses of the shared tables, spelled so that clang's BPF backend can emit them (it has no atomic load,
// store or fence: ADR-0003). Natively they are the C++ memory model's, so that ThreadSanitizer can judge the protocol. BPF's
// compare-exchange, exchange and fetch-add are fully ordered; its plain loads and stores are x86's, which keep order.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

template <typename T>
PEN_INLINE T load_acquire(const T* from) {
#ifdef __bpf__
  return *static_cast<const volatile T*>(from);
#else
  T value;
  __atomic_load(from, &value, __ATOMIC_ACQUIRE);  // clang's …_n take no enum
  return value;
#endif
}

template <typename T>
PEN_INLINE void store_release(T* to, T value) {
#ifdef __bpf__
  *static_cast<volatile T*>(to) = value;
#else
  __atomic_store(to, &value, __ATOMIC_RELEASE);
#endif
}

// Whether `*at` was `expected` and is `desired` now.
PEN_INLINE bool compare_exchange(u64* at, u64 expected, u64 desired) {
#ifdef __bpf__
  return __sync_val_compare_and_swap(at, expected, desired) == expected;
#else
  return __atomic_compare_exchange_n(at, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
#endif
}

// A store with a full barrier behind it.
PEN_INLINE void exchange(u64* at, u64 value) {
#ifdef __bpf__
  __sync_lock_test_and_set(at, value);
#else
  __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
#endif
}

template <typename T>
PEN_INLINE void add(T* to, T amount) {
#ifdef __bpf__
  __sync_fetch_and_add(to, amount);
#else
  __atomic_fetch_add(to, amount, __ATOMIC_RELAXED);
#endif
}

PEN_INLINE u64 fetch_add(u64* to, u64 amount) {
#ifdef __bpf__
  return __sync_fetch_and_add(to, amount);
#else
  return __atomic_fetch_add(to, amount, __ATOMIC_RELAXED);
#endif
}

PEN_INLINE void set_bits(u64* at, u64 bits) {
#ifdef __bpf__
  __sync_fetch_and_or(at, bits);
#else
  __atomic_fetch_or(at, bits, __ATOMIC_RELAXED);
#endif
}

}  // namespace penstock
