#pragma once
/// GAINSTAGE_REALTIME marks functions that the audio thread may call: they do not allocate, lock, make system
/// calls or throw. It stands at the declaration and at the definition. Clang 20 and later check it at compile
/// time (-Wfunction-effects), through every function whose body they see. The tests check it at run time with
/// every compiler.

// Clang 19 knows the attribute, judges no function, and warns of some pointers that it marks.
#if defined(__clang__) && __clang_major__ >= 20 && __has_cpp_attribute(clang::nonblocking)
#define GAINSTAGE_REALTIME [[clang::nonblocking]]
/// Around a call that keeps the promise though the compiler can't see it. A comment says why it does.
#define GAINSTAGE_KNOWN_REALTIME(...)                                                           \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wfunction-effects\"") \
        __VA_ARGS__ _Pragma("clang diagnostic pop")
#else
#define GAINSTAGE_REALTIME
#define GAINSTAGE_KNOWN_REALTIME(...) __VA_ARGS__
#endif

/// Keeps what is rarely run out of the way of what always is.
#define GAINSTAGE_NOINLINE __attribute__((noinline))
