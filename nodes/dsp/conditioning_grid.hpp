#pragma once
/// Decides when a conditioning network is evaluated, and interpolates its values in between.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/node.hpp"

namespace gainstage {

/// Turns knobs into the values that a network computes from them, or any other map that costs too much to run
/// at every sample.
///
/// While a knob moves, the map is evaluated every control_grid_frames samples, counted from the start of the
/// stream. Over the next control_grid_frames samples its values move on straight lines to the new result. So
/// values never jump, even when a new move replaces an old one, and they lag by one grid cell at most. A step
/// of a knob takes effect at its very sample. So do the knobs at the first sample.
/// All this depends on ramps and stream time alone, never on how the stream is cut into blocks.
///
///     for (int done = 0; done < block.frames;) {
///         const int run = grid.advance(block.params, block.time + done, block.frames - done, network);
///         ... frames done .. done + run - 1: value i at the run's k-th frame is grid.at(i, k) ...
///         done += run;
///     }
class ConditioningGrid {
public:
    /// Control thread.
    ConditioningGrid(int controls, int values)
        : knobs_(controls), from_(values), to_(values), slope_(values) {}

    /// Audio thread. Calls `network(const float* knobs, float* values)` at most once. Returns the number of
    /// frames (1..frames), from stream sample `time` on, for which the lines below hold.
    template <class Network>
    int advance(const Ramp* ramps, std::uint64_t time, int frames, Network&& network) noexcept {
        constexpr int cell = control_grid_frames;
        const int into_cell = static_cast<int>(time % cell);
        if (!started_ || any_step(ramps, time)) {
            read_knobs(ramps, time);
            network(knobs_.data(), to_.data());
            hold();
            started_ = true;
        } else if (into_cell == 0) {
            hold();
            if (read_knobs(ramps, time)) {
                network(knobs_.data(), to_.data());
                aim();
            }
        }
        position_ = into_cell;
        if (!gliding_ && at_rest(ramps, time)) return frames;
        return std::min(frames, cell - into_cell);
    }

    /// Value i at the k-th frame of the run. Computed from the grid point, not accumulated.
    float at(int i, int k) const noexcept { return from_[i] + slope_[i] * static_cast<float>(position_ + k); }
    /// The same line in its parts, for kernels that work on many frames at once.
    float from(int i) const noexcept { return from_[i]; }
    float slope(int i) const noexcept { return slope_[i]; }
    /// The parts of all values, side by side.
    const float* from() const noexcept { return from_.data(); }
    const float* slope() const noexcept { return slope_.data(); }
    int position() const noexcept { return position_; }
    /// False: the values are the same at every frame of the run.
    bool gliding() const noexcept { return gliding_; }

    void list_state(StateList& list) {
        list.add_clock(started_);
        list.add_while(started_, knobs_, from_, to_, slope_, gliding_);
    }

private:
    bool any_step(const Ramp* ramps, std::uint64_t time) const noexcept {
        for (std::size_t i = 0; i < knobs_.size(); ++i)
            if (ramps[i].steps_at(time)) return true;
        return false;
    }
    bool at_rest(const Ramp* ramps, std::uint64_t time) const noexcept {
        for (std::size_t i = 0; i < knobs_.size(); ++i)
            if (ramps[i].moving(time) || ramps[i].at(time) != knobs_[i]) return false;
        return true;
    }
    /// True if a knob differs from the network's last input.
    bool read_knobs(const Ramp* ramps, std::uint64_t time) noexcept {
        bool changed = false;
        for (std::size_t i = 0; i < knobs_.size(); ++i) {
            const float knob = ramps[i].at(time);
            changed |= knob != knobs_[i];
            knobs_[i] = knob;
        }
        return changed;
    }
    /// Ends the lines at their targets.
    void hold() noexcept {
        std::copy(to_.begin(), to_.end(), from_.begin());
        std::fill(slope_.begin(), slope_.end(), 0.f);
        gliding_ = false;
    }
    void aim() noexcept {
        for (std::size_t i = 0; i < to_.size(); ++i)
            slope_[i] = (to_[i] - from_[i]) * (1.f / control_grid_frames);
        gliding_ = true;
    }

    // audio thread
    std::vector<float> knobs_;              ///< the network's last input
    std::vector<float> from_, to_, slope_;  ///< lines over the current grid cell
    int position_ = 0;                      ///< of the run's first frame within its grid cell
    bool started_ = false, gliding_ = false;
};

}  // namespace gainstage
