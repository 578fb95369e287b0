#pragma once
/// The container of a weight file: 8 bytes of header length (little-endian), a JSON header, raw tensors.
/// https://github.com/huggingface/safetensors. Only runtime/model includes this header.

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/model/model.hpp"

namespace gainstage {

inline constexpr std::size_t max_model_file_bytes = std::size_t{512} << 20;
inline constexpr std::size_t max_model_header_bytes = std::size_t{16} << 20;
inline constexpr std::size_t max_model_tensors = 65'536;
inline constexpr std::size_t max_tensor_dimensions = 8;

struct Safetensors {
    std::vector<std::pair<std::string, std::string>> metadata;  ///< sorted by name
    std::vector<Tensor> tensors;                                ///< in the order of their bytes in the file
};

/// Any thread. Throws ModelError; the message starts with `file`. Every length and offset is checked against
/// the available bytes before it is used. Tensors must tile the data exactly and be finite.
Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

}  // namespace gainstage
