#pragma once
/// From the values of knobs to the inputs of a network.

#include <vector>

#include "runtime/model/model.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// value * scale + offset for each control of a file. Immutable once built; any number of threads.
class ControlInputs {
public:
    ControlInputs() = default;
    /// Control thread.
    explicit ControlInputs(const Model& model) {
        for (const ModelControl& control : model.controls) lines_.push_back({control.scale, control.offset});
    }

    int size() const noexcept { return static_cast<int>(lines_.size()); }
    /// Audio thread.
    float heard(int control, float knob) const noexcept GAINSTAGE_REALTIME {
        return knob * lines_[control].scale + lines_[control].offset;
    }
    /// Audio thread. Of all of them.
    void hear(const float* knobs, float* heard) const noexcept GAINSTAGE_REALTIME {
        for (std::size_t i = 0; i < lines_.size(); ++i)
            heard[i] = knobs[i] * lines_[i].scale + lines_[i].offset;
    }

private:
    struct Line {
        float scale, offset;
    };
    std::vector<Line> lines_;
};

}  // namespace gainstage
