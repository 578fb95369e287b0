#include "nodes/layers/layer_reader.hpp"

#include <fmt/format.h>

namespace gainstage {

const Tensor& LayerReader::tensor(const std::string& name, std::initializer_list<int> shape, int most) {
    const Tensor& found = model_.tensor(name, std::vector<std::int64_t>(shape.begin(), shape.end()));
    for (std::size_t d = 0; d < shape.size(); ++d)
        if (shape.begin()[d] == any_size && (found.shape[d] < 1 || found.shape[d] > most))
            throw ModelError(fmt::format("{}: tensor \"{}\" has {} {}; expected 1 to {}", model_.file, name,
                                         found.shape[d], d == 0 ? "rows" : "columns", most));
    used_.push_back(name);
    return found;
}

Dense LayerReader::dense(const std::string& prefix, int outputs, int inputs, int most) {
    const Tensor& weight = tensor(prefix + ".weight", {outputs, inputs}, most);
    const Tensor& bias = tensor(prefix + ".bias", {rows_of(weight)});
    return Dense(rows_of(weight), columns_of(weight), weight.data, bias.data);
}

Dense LayerReader::dense_without_bias(const std::string& prefix, int outputs, int inputs, int most) {
    const Tensor& weight = tensor(prefix + ".weight", {outputs, inputs}, most);
    return Dense(rows_of(weight), columns_of(weight), weight.data);
}

}  // namespace gainstage
