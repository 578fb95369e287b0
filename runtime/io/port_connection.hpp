#pragma once
/// A cable between a port of ours and one of another program.

#include <string>
#include <vector>

namespace gainstage {

struct PortConnection {
    std::string own;    ///< short name: "in_1", "out_2", "midi_1"
    std::string other;  ///< full name: "system:capture_1"; a short one is a port of our own
    bool operator==(const PortConnection&) const = default;
};

using PortConnections = std::vector<PortConnection>;

}  // namespace gainstage
