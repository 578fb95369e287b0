#pragma once
/// The model families once more, as plain loops over their formulas in double precision, to compare long runs
/// with. They share nothing with the nodes but the formulas (see the nodes' *_weights.hpp).

#include <memory>

#include "runtime/model/model.hpp"

namespace gainstage::test {

/// One channel of a model with its knobs at their defaults.
class DoubleTwin {
public:
    virtual ~DoubleTwin() = default;
    virtual double play(double sample) = 0;
};

/// The model must outlive the twin. Throws std::logic_error for a variant without a twin. TCN has none: its
/// output depends on the last few samples alone, so it cannot drift.
std::unique_ptr<DoubleTwin> double_twin(const std::shared_ptr<const Model>&);

}  // namespace gainstage::test
