#include "runtime/model/model.hpp"

namespace gainstage {

const Tensor* Model::find(std::string_view name) const {
    for (const Tensor& tensor : tensors)
        if (tensor.name == name) return &tensor;
    return nullptr;
}

}  // namespace gainstage
