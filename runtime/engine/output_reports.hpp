#pragma once
/// What the guards of the outputs did, in words for the player.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/output_watch.hpp"
#include "runtime/plan/arrangement.hpp"

namespace gainstage {

/// Looks at what the outputs have seen (OutputWatch), in every turn. Control thread.
class OutputReports {
public:
    explicit OutputReports(double sample_rate_hz) : rate_hz_(sample_rate_hz) {}

    struct Report {
        std::uint64_t stamp = 0;  ///< stream sample of the first intervention that it tells of
        std::string node, text;
        bool is_offset = false;  ///< it tells of DC, and not of an intervention
    };
    /// Of each output at most one report of interventions in a second of the stream, and one of each offset
    /// that begins. `now`: stream sample.
    std::vector<Report> look(const Arrangement& heard, std::uint64_t now);

    /// What an output's guard did in the whole stream, as far as the last look.
    struct Total {
        std::string node;
        std::uint64_t first = OutputWatch::never;  ///< stream sample of the first intervention
        float peak = 0.f;                          ///< of what it turned down, linear; 0: nothing
        double softened_s = 0.;                    ///< how long it played softer than what it heard
        std::uint64_t not_numbers = 0;             ///< samples in whose place it played silence
    };
    /// Of the outputs whose guard did something.
    std::vector<Total> totals() const;

private:
    /// One output, through all its instances.
    struct Seen {
        const Slot* slot = nullptr;  // the instance that is heard; never read through
        // of that instance
        std::uint64_t softened = 0, not_numbers = 0;
        std::array<bool, max_channels> has_offset{};
        // not told yet
        std::uint64_t since = OutputWatch::never;
        float peak = 0.f;
        std::uint64_t new_not_numbers = 0;
        std::uint64_t next_report = 0;  // stream sample before which nothing more is told
        Total total;
    };
    void take_in(Seen&, const Slot&, OutputWatch&, std::uint64_t now);
    void tell(Seen&, std::uint64_t now, std::vector<Report>&) const;
    void tell_offsets(Seen&, const Slot&, const OutputWatch&, std::uint64_t now, std::vector<Report>&) const;

    const double rate_hz_;
    std::map<std::string, Seen> seen_;  // by node id
};

}  // namespace gainstage
