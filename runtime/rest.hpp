#pragma once
/// What a model does while it hears silence, and the states in which its nodes have come to rest.

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/node_memory.hpp"

namespace gainstage {

/// What a model emits at silence, once it has come to rest.
struct Rest {
    static constexpr double silent_dbfs = -200.;

    double offset_dbfs = silent_dbfs;  ///< its mean
    double noise_dbfs = silent_dbfs;   ///< its RMS without the mean
    bool is_known = true;              ///< false: it was still on its way to rest
    bool blows_up = false;             ///< above +24 dBFS, or to what is no number; then there is no rest
};

/// The latest few of these states of one preparation. A second instance, a newcomer or one that comes back
/// from quarantine takes the state from here and need not play silence again. Any thread.
class RestMemo {
public:
    struct Entry {
        Setup setup;
        Rest rest;
        std::shared_ptr<const NodeMemory::Image> state;
    };
    /// Null: a node of this setup has not come to rest yet, or too long ago.
    std::shared_ptr<const Entry> find(const Setup&);
    void add(Entry);
    /// How many of them it keeps.
    std::size_t size() const;

private:
    static constexpr std::size_t most = 32;

    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const Entry>> entries_;  ///< the latest asked for is the last
};

}  // namespace gainstage
