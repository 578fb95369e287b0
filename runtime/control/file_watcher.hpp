#pragma once
/// Tells which of a set of files have new content: saved in place, or replaced by a renamed one.

#include "runtime/control/polling_watcher.hpp"

#if defined(__linux__)
#include "runtime/control/inotify_watcher.hpp"
#endif

namespace gainstage {

/// Both keep the same promises: a file that somebody is still writing is not reported, nor is one that was
/// deleted; a file may be watched before it exists; a symbolic link is followed, and reported when it is made
/// to point elsewhere. What changes between reading a file and watching it goes unnoticed: watch first, then
/// read.
#if defined(__linux__)
using FileWatcher = InotifyWatcher;
#else
using FileWatcher = PollingWatcher;
#endif

}  // namespace gainstage
