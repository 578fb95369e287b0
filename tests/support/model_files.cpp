#include "tests/support/model_files.hpp"

#include <nlohmann/json.hpp>

namespace gainstage::test {

ModelFile model_parts(const std::string& file) {
    const std::vector<std::byte> bytes = model_file_bytes(file);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const char* text = reinterpret_cast<const char*>(bytes.data()) + 8;
    const nlohmann::json header = nlohmann::json::parse(text, text + length);
    ModelFile parts{.metadata = header.at("__metadata__").get<std::map<std::string, std::string>>(),
                    .tensors = {}};
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
        Tensor tensor{.name = name, .shape = entry.at("shape").get<std::vector<std::int64_t>>(), .data = {}};
        tensor.data.resize((offsets[1] - offsets[0]) / sizeof(float));
        std::memcpy(tensor.data.data(), text + length + offsets[0], offsets[1] - offsets[0]);
        parts.tensors.push_back(std::move(tensor));
    }
    return parts;
}

ModelFile with_controls_swapped(ModelFile parts) {
    nlohmann::json controls = nlohmann::json::parse(parts.metadata.at("controls"));
    std::swap(controls[0], controls[1]);
    parts.metadata["controls"] = controls.dump();
    return parts;
}

void configure(ModelFile& parts, const std::string& key, const std::string& value) {
    nlohmann::json config = nlohmann::json::parse(parts.metadata.at("config"));
    config[key] = value;
    parts.metadata["config"] = config.dump();
}

std::string json_text(const std::string& text) {
    return nlohmann::json(text).dump();
}

}  // namespace gainstage::test
