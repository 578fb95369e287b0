#include "runtime/model/model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
    std::vector<std::string> sizes;
    for (const std::int64_t size : shape) sizes.push_back(size < 0 ? "any" : fmt::format("{}", size));
    return fmt::format("({})", fmt::join(sizes, ", "));
}

bool matches(std::span<const std::int64_t> shape, std::span<const std::int64_t> expected) {
    return std::equal(shape.begin(), shape.end(), expected.begin(), expected.end(),
                      [](std::int64_t size, std::int64_t wanted) { return wanted < 0 || size == wanted; });
}

/// A key of `config`; `fallback` if it is absent.
template <class T>
T config_value(const Model& model, std::string_view key, T fallback, std::string_view expected) {
    const ModelConfig::Value* const found = model.config.find(key);
    if (!found) return fallback;
    if (const T* value = std::get_if<T>(&found->value)) return *value;
    throw ModelError(fmt::format("{}: config.{}: expected {}, found {}", model.file, key, expected,
                                 in_quotes(found->json)));
}

}  // namespace

void Model::index_tensors() {
    std::vector<int>& places = index_.places;
    places.resize(tensors.size());
    std::iota(places.begin(), places.end(), 0);
    std::sort(places.begin(), places.end(),
              [this](int a, int b) { return tensors[a].name < tensors[b].name; });
}

const Tensor* Model::find(std::string_view name) const {
    const std::vector<int>& places = index_.places;
    if (places.empty()) {
        const auto at = std::find_if(tensors.begin(), tensors.end(),
                                     [&](const Tensor& tensor) { return tensor.name == name; });
        return at == tensors.end() ? nullptr : &*at;
    }
    const auto at = std::lower_bound(places.begin(), places.end(), name,
                                     [this](int k, std::string_view n) { return tensors[k].name < n; });
    return at != places.end() && tensors[*at].name == name ? &tensors[*at] : nullptr;
}

const Tensor& Model::tensor(std::string_view name, std::span<const std::int64_t> shape) const {
    const Tensor* found = find(name);
    if (!found)
        throw ModelError(
            fmt::format("{}: tensor \"{}\" is missing; expected shape {}", file, name, shape_text(shape)));
    if (!matches(found->shape, shape))
        throw ModelError(fmt::format("{}: tensor \"{}\" has shape {}; expected {}", file, name,
                                     shape_text(found->shape), shape_text(shape)));
    return *found;
}

std::string Model::text(std::string_view key, std::string_view fallback) const {
    return config_value(*this, key, std::string(fallback), "a string");
}

double Model::number(std::string_view key, double fallback) const {
    return config_value(*this, key, fallback, "a number");
}

bool Model::flag(std::string_view key, bool fallback) const {
    return config_value(*this, key, fallback, "true or false");
}

std::vector<std::string> Model::notes_on_extra(std::span<const std::string> known) const {
    const std::unordered_set<std::string_view> read(known.begin(), known.end());
    std::vector<std::string> extra;
    std::size_t count = 0;
    for (const Tensor& tensor : tensors)
        if (!read.contains(tensor.name) && ++count <= most_told)
            extra.push_back(
                fmt::format("extra tensor ignored: {} {}", in_quotes(tensor.name), shape_text(tensor.shape)));
    if (count > most_told) extra.push_back(fmt::format("{} more extra tensors ignored", count - most_told));
    return extra;
}

}  // namespace gainstage
