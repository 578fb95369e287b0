#include "tests/support/realtime_guard.hpp"

#include <features.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GAINSTAGE_OTHER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GAINSTAGE_OTHER_SANITIZER 1
#endif

#if defined(GAINSTAGE_RTSAN)

extern "C" {
void __rtsan_init();            // NOLINT: the sanitizer's names
void __rtsan_realtime_enter();  // NOLINT
void __rtsan_realtime_exit();   // NOLINT
}

namespace gainstage::test {
namespace {
[[gnu::constructor]] void start_sanitizer() {
    __rtsan_init();
}
}  // namespace
RealtimeGuard realtime_guard() noexcept {
    return RealtimeGuard::sanitizer;
}
RealtimeScope::RealtimeScope() noexcept {
    __rtsan_realtime_enter();
}
RealtimeScope::~RealtimeScope() {
    __rtsan_realtime_exit();
}
void let_allocations_fail(AllocationFault) noexcept {}
}  // namespace gainstage::test

#elif defined(__GLIBC__) && !defined(GAINSTAGE_OTHER_SANITIZER)

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace gainstage::test {

namespace {

// initial-exec: reading it must not allocate, or malloc would call itself
[[gnu::tls_model("initial-exec")]] thread_local int depth = 0;

void say(const char* text) {
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0) std::abort();
}

[[noreturn]] void violated(const char* function) {
    depth = 0;  // the calls that follow may do everything
    say("real-time violation: ");
    say(function);
    say(" was called on the audio thread\n");
    void* frames[32];
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
    std::abort();
}

void forbid(const char* function) {
    if (depth > 0) violated(function);
}

std::atomic<AllocationFault> allocation_fault{nullptr};

bool fails() noexcept {
    const AllocationFault fault = allocation_fault.load(std::memory_order_relaxed);
    return fault && fault();
}

using Slot = std::atomic<void*>;

/// The C library's own function, looked up once. The condition variables exist in two versions; plain dlsym
/// may return the old one.
void* next(Slot& slot, const char* name) {
    void* found = slot.load(std::memory_order_relaxed);
    if (found == nullptr) {
        if (std::strncmp(name, "pthread_cond_", 13) == 0) found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
        if (found == nullptr) found = dlsym(RTLD_NEXT, name);
        slot.store(found, std::memory_order_relaxed);
    }
    return found;
}

}  // namespace

RealtimeGuard realtime_guard() noexcept {
    return RealtimeGuard::in_process;
}
void let_allocations_fail(AllocationFault fault) noexcept {
    allocation_fault = fault;
}
RealtimeScope::RealtimeScope() noexcept {
    ++depth;
}
RealtimeScope::~RealtimeScope() {
    --depth;
}

namespace {
void enter() noexcept {
    ++depth;
}
void leave() noexcept {
    --depth;
}
}  // namespace

}  // namespace gainstage::test

// The live callback calls these where it begins and ends (runtime/realtime/realtime_scope.hpp).
extern "C" {
void gainstage_callback_begins() noexcept;
void gainstage_callback_ends() noexcept;
void gainstage_callback_begins() noexcept {
    gainstage::test::enter();
}
void gainstage_callback_ends() noexcept {
    gainstage::test::leave();
}
}

// From here on: the guarded functions. They replace those of the C library in the whole program.

using gainstage::test::fails;
using gainstage::test::forbid;
using gainstage::test::next;
using gainstage::test::Slot;

extern "C" {

void* __libc_malloc(std::size_t);                 // NOLINT: glibc's names
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT
void* __libc_realloc(void*, std::size_t);         // NOLINT
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT
void __libc_free(void*);                          // NOLINT

// The allocator uses glibc's second names, because dlsym itself may allocate.
void* malloc(std::size_t size) noexcept {
    forbid("malloc");
    return fails() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    forbid("calloc");
    return fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
    forbid("realloc");
    return fails() ? nullptr : __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
    forbid("memalign");
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    forbid("aligned_alloc");
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    forbid("posix_memalign");
    *memory = fails() ? nullptr : __libc_memalign(alignment, size);
    return *memory != nullptr ? 0 : 12;  // ENOMEM
}
void free(void* memory) noexcept {
    if (memory != nullptr) forbid("free");
    __libc_free(memory);
}

// The names in C++ are our own; the linker takes them for the C library's. The C library declares some of
// them noexcept, but JACK ends its threads by cancelling them in the middle of such a call, which unwinds the
// stack.
// NOLINTBEGIN(bugprone-macro-parentheses): a list of parameters can't be enclosed twice
#define GAINSTAGE_GUARDED(result, name, parameters, arguments)                      \
    result guarded_##name parameters __asm__(#name);                                \
    result guarded_##name parameters {                                              \
        static constinit Slot slot{nullptr};                                        \
        forbid(#name);                                                              \
        return reinterpret_cast<result(*) parameters>(next(slot, #name)) arguments; \
    }
// NOLINTEND(bugprone-macro-parentheses)

GAINSTAGE_GUARDED(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
GAINSTAGE_GUARDED(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
GAINSTAGE_GUARDED(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
GAINSTAGE_GUARDED(int, pthread_spin_lock, (pthread_spinlock_t * l), (l))
GAINSTAGE_GUARDED(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), (c, m))
GAINSTAGE_GUARDED(int, pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t* m, const timespec* t),
                  (c, m, t))
GAINSTAGE_GUARDED(int, pthread_cond_signal, (pthread_cond_t * c), (c))
GAINSTAGE_GUARDED(int, pthread_cond_broadcast, (pthread_cond_t * c), (c))
GAINSTAGE_GUARDED(int, pthread_create, (pthread_t * t, const pthread_attr_t* a, void* (*f)(void*), void* x),
                  (t, a, f, x))
GAINSTAGE_GUARDED(int, pthread_join, (pthread_t t, void** r), (t, r))
GAINSTAGE_GUARDED(int, sem_wait, (sem_t * s), (s))
GAINSTAGE_GUARDED(int, sem_post, (sem_t * s), (s))
GAINSTAGE_GUARDED(int, sched_yield, (), ())
GAINSTAGE_GUARDED(int, nanosleep, (const timespec* t, timespec* r), (t, r))
GAINSTAGE_GUARDED(int, clock_nanosleep, (clockid_t c, int f, const timespec* t, timespec* r), (c, f, t, r))
GAINSTAGE_GUARDED(int, usleep, (useconds_t t), (t))
GAINSTAGE_GUARDED(unsigned, sleep, (unsigned t), (t))
GAINSTAGE_GUARDED(int, poll, (pollfd * f, nfds_t n, int t), (f, n, t))
GAINSTAGE_GUARDED(ssize_t, read, (int f, void* b, std::size_t n), (f, b, n))
GAINSTAGE_GUARDED(ssize_t, write, (int f, const void* b, std::size_t n), (f, b, n))
GAINSTAGE_GUARDED(int, close, (int f), (f))
GAINSTAGE_GUARDED(int, fsync, (int f), (f))
GAINSTAGE_GUARDED(ssize_t, send, (int s, const void* b, std::size_t n, int f), (s, b, n, f))
GAINSTAGE_GUARDED(ssize_t, recv, (int s, void* b, std::size_t n, int f), (s, b, n, f))
GAINSTAGE_GUARDED(int, socket, (int d, int t, int p), (d, t, p))
GAINSTAGE_GUARDED(void*, mmap, (void* a, std::size_t n, int p, int f, int d, off_t o), (a, n, p, f, d, o))
GAINSTAGE_GUARDED(int, munmap, (void* a, std::size_t n), (a, n))
GAINSTAGE_GUARDED(int, mprotect, (void* a, std::size_t n, int p), (a, n, p))
GAINSTAGE_GUARDED(int, madvise, (void* a, std::size_t n, int p), (a, n, p))
GAINSTAGE_GUARDED(FILE*, fopen, (const char* p, const char* m), (p, m))
GAINSTAGE_GUARDED(int, fclose, (FILE * f), (f))
GAINSTAGE_GUARDED(int, fflush, (FILE * f), (f))
GAINSTAGE_GUARDED(std::size_t, fread, (void* b, std::size_t s, std::size_t n, FILE* f), (b, s, n, f))
GAINSTAGE_GUARDED(std::size_t, fwrite, (const void* b, std::size_t s, std::size_t n, FILE* f), (b, s, n, f))
GAINSTAGE_GUARDED(int, fputs, (const char* t, FILE* f), (t, f))
GAINSTAGE_GUARDED(int, puts, (const char* t), (t))
GAINSTAGE_GUARDED(int, putc, (int c, FILE* f), (c, f))
GAINSTAGE_GUARDED(int, fputc, (int c, FILE* f), (c, f))
GAINSTAGE_GUARDED(int, vfprintf, (FILE * f, const char* t, va_list a), (f, t, a))

int open(const char* path, int flags, ...) {
    static constinit Slot slot{nullptr};
    forbid("open");
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return reinterpret_cast<int (*)(const char*, int, ...)>(next(slot, "open"))(path, flags, mode);
}

int printf(const char* format, ...) {
    forbid("printf");
    va_list rest;
    va_start(rest, format);
    const int written = vfprintf(stdout, format, rest);
    va_end(rest);
    return written;
}

int fprintf(FILE* file, const char* format, ...) {
    forbid("fprintf");
    va_list rest;
    va_start(rest, format);
    const int written = vfprintf(file, format, rest);
    va_end(rest);
    return written;
}

// std::atomic::wait and other waits without a C function of their own
long guarded_syscall(long number, ...) __asm__("syscall");
long guarded_syscall(long number, ...) {
    static constinit Slot slot{nullptr};
    forbid("syscall");
    va_list rest;
    va_start(rest, number);
    long a[6];
    for (long& argument : a) argument = va_arg(rest, long);
    va_end(rest);
    return reinterpret_cast<long (*)(long, ...)>(next(slot, "syscall"))(number, a[0], a[1], a[2], a[3], a[4],
                                                                        a[5]);
}

}  // extern "C"

#else

namespace gainstage::test {
RealtimeGuard realtime_guard() noexcept {
    return RealtimeGuard::none;
}
RealtimeScope::RealtimeScope() noexcept = default;
RealtimeScope::~RealtimeScope() = default;
void let_allocations_fail(AllocationFault) noexcept {}
}  // namespace gainstage::test

#endif
