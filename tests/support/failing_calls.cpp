#include "tests/support/failing_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

// The C library's own calls of these functions don't come here, so nothing below calls itself.

namespace {

using namespace gainstage::test;

enum Family { writes, opens, renames, fsyncs, closes, polls, unlinks };

CallCounts* counts = nullptr;
int failing_family = -1;
unsigned long failing_number = 0;

__attribute__((constructor)) void read_environment() {
    const char* const file = std::getenv("GAINSTAGE_CALL_COUNTS");
    if (!file) return;
    const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0));
    void* const memory = mmap(nullptr, sizeof(CallCounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (memory == MAP_FAILED) return;
    if (const char* const which = std::getenv("GAINSTAGE_FAIL"))
        for (int f = 0; f < call_family_count; ++f)
            if (const std::size_t size = std::strlen(call_families[f]);
                std::strncmp(which, call_families[f], size) == 0 && which[size] == ':') {
                failing_family = f;
                failing_number = std::strtoul(which + size + 1, nullptr, 10);
            }
    counts = static_cast<CallCounts*>(memory);
}

/// Counts the call. True: it is the one that fails.
bool fails(Family family) {
    if (!counts) return false;
    const auto number = std::atomic_ref(counts->calls[family]).fetch_add(1) + 1;
    if (family != failing_family || number != failing_number) return false;
    std::atomic_ref(counts->failed).store(1);
    return true;
}

/// Standard output and error, by whatever descriptor.
bool is_display(int fd) {
    struct stat of_fd {};
    if (fd <= 2 || fstat(fd, &of_fd) != 0) return fd <= 2;
    for (const int display : {1, 2}) {
        struct stat found {};
        if (fstat(display, &found) == 0 && found.st_dev == of_fd.st_dev && found.st_ino == of_fd.st_ino)
            return true;
    }
    return false;
}

int fail(int error) {
    errno = error;
    return -1;
}

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define REAL(name) static const auto name##_as_it_is = real<decltype(&::name)>(#name)

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
    REAL(write);
    return !is_display(fd) && fails(writes) ? fail(EIO) : write_as_it_is(fd, bytes, count);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
    REAL(pwrite);
    return !is_display(fd) && fails(writes) ? fail(EIO) : pwrite_as_it_is(fd, bytes, count, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
    REAL(writev);
    return !is_display(fd) && fails(writes) ? fail(EIO) : writev_as_it_is(fd, parts, count);
}

#define MODE_OF(flags)                                 \
    mode_t mode = 0;                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {             \
        va_list rest;                                  \
        va_start(rest, flags);                         \
        mode = static_cast<mode_t>(va_arg(rest, int)); \
        va_end(rest);                                  \
    }

int open(const char* path, int flags, ...) {
    MODE_OF(flags)
    REAL(open);
    return fails(opens) ? fail(EMFILE) : open_as_it_is(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    MODE_OF(flags)
    REAL(open64);
    return fails(opens) ? fail(EMFILE) : open64_as_it_is(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
    MODE_OF(flags)
    REAL(openat);
    return fails(opens) ? fail(EMFILE) : openat_as_it_is(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
    MODE_OF(flags)
    REAL(openat64);
    return fails(opens) ? fail(EMFILE) : openat64_as_it_is(folder, path, flags, mode);
}

int rename(const char* from, const char* to) noexcept {
    REAL(rename);
    return fails(renames) ? fail(EIO) : rename_as_it_is(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    REAL(renameat);
    return fails(renames) ? fail(EIO) : renameat_as_it_is(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
    REAL(renameat2);
    return fails(renames) ? fail(EIO) : renameat2_as_it_is(from_folder, from, to_folder, to, flags);
}

int fsync(int fd) {
    REAL(fsync);
    return fails(fsyncs) ? fail(EIO) : fsync_as_it_is(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return fails(fsyncs) ? fail(EIO) : fdatasync_as_it_is(fd);
}

/// The descriptor is gone even so, as with a real disk.
int close(int fd) {
    REAL(close);
    const bool is_ours = !is_display(fd);
    const int result = close_as_it_is(fd);
    return is_ours && fails(closes) ? fail(EIO) : result;
}

int poll(pollfd* waited, nfds_t count, int timeout_ms) {
    REAL(poll);
    return fails(polls) ? fail(ENOMEM) : poll_as_it_is(waited, count, timeout_ms);
}

int unlink(const char* path) noexcept {
    REAL(unlink);
    return fails(unlinks) ? fail(EIO) : unlink_as_it_is(path);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
    REAL(unlinkat);
    return fails(unlinks) ? fail(EIO) : unlinkat_as_it_is(folder, path, flags);
}

}  // extern "C"
