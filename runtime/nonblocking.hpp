#pragma once
/// GAINSTAGE_REALTIME marks functions that the audio thread may call: they do not allocate, lock, make system
/// calls or throw. Compilers with function effects (clang 20 and later) check it at compile time. The tests
/// check it at run time with every compiler.

#if defined(__clang__) && __has_cpp_attribute(clang::nonblocking)
#define GAINSTAGE_REALTIME [[clang::nonblocking]]
#else
#define GAINSTAGE_REALTIME
#endif
