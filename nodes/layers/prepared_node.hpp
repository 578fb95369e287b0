#pragma once
/// A preparation made of weights of one type, shared by nodes of another.

#include <memory>
#include <type_traits>

#include "runtime/model/model.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// `Weights` has a member `facts` and a constructor from a Model and the device's rate, or from a Model alone
/// if it plays at the model's rate only. The constructor throws ModelError. `N` has a constructor from a
/// Setup and a shared_ptr<const Weights>.
template <class N, class Weights>
class PreparedNode final : public Prepared {
public:
    PreparedNode(const Model& model, double sample_rate_hz) : weights_(read(model, sample_rate_hz)) {}
    const PreparedFacts& facts() const noexcept override { return weights_.facts; }

private:
    static Weights read(const Model& model, double sample_rate_hz) {
        if constexpr (std::is_constructible_v<Weights, const Model&, double>)
            return Weights(model, sample_rate_hz);
        else
            return Weights(model);
    }
    std::unique_ptr<Node> build(const Setup& setup) const override {
        return std::make_unique<N>(setup, std::shared_ptr<const Weights>(shared_from_this(), &weights_));
    }

    const Weights weights_;
};

/// For NodeType::prepare.
template <class N, class Weights>
std::shared_ptr<const Prepared> prepare_node(const Model& model, double sample_rate_hz) {
    return std::make_shared<PreparedNode<N, Weights>>(model, sample_rate_hz);
}

}  // namespace gainstage
