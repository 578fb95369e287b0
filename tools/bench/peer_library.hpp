#pragma once
/// Models of another engine, measured in turn with ours. Control thread.

#include <memory>
#include <stdexcept>
#include <string>

#include "tools/bench/node_bench.hpp"
#include "tools/bench/peers/peer.h"

namespace gainstage {

/// The message names the file and the fault.
struct PeerError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A shared library with the functions of tools/bench/peers/peer.h. Its players may outlive it.
class PeerLibrary {
public:
    /// `path`: the library file. Throws PeerError.
    explicit PeerLibrary(const std::string& path);

    /// Name of the file, without folder and extension.
    const std::string& name() const { return name_; }
    /// A player of a model of the size of `exhibit` (zoo.hpp); empty if that engine has none.
    Player player_of(const std::string& exhibit) const;

private:
    std::string name_;
    std::shared_ptr<void> library_;
    decltype(gainstage_peer_make)* make_;
    decltype(gainstage_peer_play)* play_;
    decltype(gainstage_peer_destroy)* destroy_;
};

}  // namespace gainstage
