#include "tests/support/fixture.hpp"

#include <nlohmann/json.hpp>

namespace gainstage::test {

Fixture::Fixture(const std::string& family, const std::string& name) {
    const std::filesystem::path data = std::filesystem::path(source_dir()) / "tests/data";
    const std::string path = (data / (family + "-" + name)).string();
    model = read_model_file(path + ".safetensors");
    input = read_floats(data / (family + "-input.f32"));
    expected = read_floats(path + ".expected.f32");
    const auto said = nlohmann::json::parse(std::ifstream(path + ".json"));
    start = said["start"];
    for (const auto& move : said["moves"])
        moves.push_back(
            {move[0].get<int>(), move[1].get<std::string>(), move[2].get<float>(), move[3].get<float>()});
}

}  // namespace gainstage::test
