#pragma once
/// The model families once more, as plain loops over their formulas in double precision: what long runs are
/// compared with. They share nothing with the nodes but the formulas (nodes/NAME_weights.hpp).

#include <memory>

#include "runtime/model/model.hpp"

namespace gainstage::test {

/// One channel of a model, its knobs at their defaults.
class DoubleTwin {
public:
    virtual ~DoubleTwin() = default;
    virtual double play(double sample) = 0;
};

/// The model must live on. Throws std::logic_error for a variant that it does not know. TCN has none:
/// what it says depends on the last few samples alone, so it cannot drift.
std::unique_ptr<DoubleTwin> double_twin(const std::shared_ptr<const Model>&);

}  // namespace gainstage::test
