#pragma once
/// Another engine's models, to be measured in turn with ours. Control thread.

#include <memory>
#include <stdexcept>
#include <string>

#include "tools/bench/node_bench.hpp"
#include "tools/bench/peers/peer.h"

namespace gainstage {

/// Says which file it is, and what is wrong with it.
struct PeerError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A shared library with the functions of tools/bench/peers/peer.h. Players outlive it.
class PeerLibrary {
public:
    /// `path`: of the file. Throws PeerError.
    explicit PeerLibrary(const std::string& path);

    /// The file's, without folder and ending.
    const std::string& name() const { return name_; }
    /// Plays a model of the size of `exhibit` (zoo.hpp); empty where that engine has none.
    Player player_of(const std::string& exhibit) const;

private:
    std::string name_;
    std::shared_ptr<void> library_;
    decltype(gainstage_peer_make)* make_;
    decltype(gainstage_peer_play)* play_;
    decltype(gainstage_peer_destroy)* destroy_;
};

}  // namespace gainstage
