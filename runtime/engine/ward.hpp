#pragma once
/// Which nodes are in quarantine, and how often each has tripped.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/realtime/slot.hpp"

namespace gainstage {

/// Control thread.
class Ward {
public:
    struct Patient {
        std::uint64_t since = 0;  ///< stream sample
        bool latched = false;     ///< comes back with an edit only
        bool cold = false;        ///< the past blew it up again: comes back without one
    };

    bool has(NodeKey key) const { return patients_.contains(key); }
    /// It is in quarantine, or was lately.
    bool knows(NodeKey key) const { return has(key) || records_.contains(key); }
    /// Null where the node is not in quarantine.
    const Patient* find(NodeKey) const;
    const std::map<NodeKey, Patient>& patients() const noexcept { return patients_; }

    /// A node tripped; its slot knows whether that latched it.
    void take_tripped(const Slot&, double window_samples);
    /// A worker did not come back from it. True: for the third time in ten seconds, so it is latched. It
    /// comes back without a past, because it has not heard all of its own.
    bool take_stalled(NodeKey, std::uint64_t since, double window_samples);
    /// The next instance of a node knows how often its place has tripped.
    void give_record(Slot&) const;
    /// Another arrangement is heard, in which these instances stay. The others leave, and their quarantine
    /// with them; their record is kept only where a node comes back from quarantine.
    void keep(const std::set<NodeKey>& staying, bool keep_records);
    /// None can be brought back on the past.
    void make_cold();
    /// None can be built again.
    void latch_all();

private:
    std::map<NodeKey, Patient> patients_;
    std::map<NodeKey, TripRecord> records_;
};

}  // namespace gainstage
