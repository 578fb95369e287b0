#pragma once
/// GAINSTAGE_REALTIME marks what the audio thread may call: no allocation, lock, system call or throw.
/// Compilers that know function effects (clang 20 and later) check it when they compile; the tests check it
/// everywhere by running.

#if defined(__clang__) && __has_cpp_attribute(clang::nonblocking)
#define GAINSTAGE_REALTIME [[clang::nonblocking]]
#else
#define GAINSTAGE_REALTIME
#endif
