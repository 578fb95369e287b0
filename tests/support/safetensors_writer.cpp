#include "tests/support/safetensors_writer.hpp"

#include <nlohmann/json.hpp>

namespace gainstage::test {

nlohmann::json ModelFile::header() const {
    nlohmann::json header{{"__metadata__", metadata}};
    std::size_t at = 0;
    for (const Tensor& tensor : tensors) {
        const std::size_t end = at + tensor.data.size() * sizeof(float);
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    return header;
}

Bytes ModelFile::bytes() const {
    return safetensors(header().dump(), data());
}

}  // namespace gainstage::test
