#include "runtime/engine/residents.hpp"

#include <stdexcept>
#include <utility>

namespace gainstage {

const Arrangement* Residents::heard() const noexcept {
    return change_ && change_->stage() == ChangeInFlight::Stage::fading ? change_->arrangement() : playing();
}

const Arrangement* Residents::coming() const noexcept {
    return change_ && !change_->is_preparing() ? change_->arrangement() : playing();
}

ChangeInFlight& Residents::admit(std::unique_ptr<ChangeInFlight> change) {
    if (change_) throw std::logic_error("residents: two changes at once");
    change_ = std::move(change);
    return *change_;
}

void Residents::settle(bool worker_away) {
    // What needs memory first: from finish() on nothing may fail.
    std::unique_ptr<Transition> curve_of_fade;
    if (worker_away) {
        retired_.reserve(retired_.size() + 2);
        curve_of_fade = std::make_unique<Transition>();
    }
    ChangeInFlight::Built built = change_->finish();
    std::unique_ptr<Transition> left = std::exchange(transition_, std::move(built.transition));
    if (worker_away) {  // a plan's fade reads the curve of its transition, so that is kept too
        if (left) retired_.push_back(std::move(left));
        if (transition_->during) {
            curve_of_fade->during = std::move(transition_->during);
            retired_.push_back(std::move(curve_of_fade));
        }
    }
    left.reset();
    transition_->during.reset();
    transition_->warming.reset();
    arrangement_ = std::move(built.arrangement);
    graph_ = std::move(built.graph);
    change_.reset();
}

ChangeRequest Residents::drop() {
    ChangeRequest request = change_->fail();
    change_.reset();
    return request;
}

}  // namespace gainstage
