#include "tests/support/double_twin.hpp"

#include <stdexcept>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

std::unique_ptr<DoubleTwin> double_twin(const std::shared_ptr<const Model>& model) {
    const Reader read{*model};
    if (model->architecture == "lstm" || model->architecture == "gru") return recurrent_twin(read);
    if (model->architecture == "grey_box") return grey_box_twin(read);
    if (model->architecture == "s4d") return s4d_twin(read);
    if (model->architecture == "ed_lstm") return ed_lstm_twin(read);
    if (model->architecture == "s6") return s6_twin(read);
    throw std::logic_error("no twin of " + model->architecture);
}

}  // namespace gainstage::test
