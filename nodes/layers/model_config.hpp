#pragma once
/// What a node type asks of a model file, apart from its tensors.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "runtime/model/model.hpp"
#include "runtime/nearest_name.hpp"
#include "runtime/numbers.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Control thread, like all functions here. Throws a ModelError with the file and the sentence.
template <class... Parts>
[[noreturn]] void refuse(const Model& model, fmt::format_string<Parts...> sentence, Parts&&... parts) {
    throw ModelError(model.file + ": " + fmt::format(sentence, std::forward<Parts>(parts)...));
}

/// The facts that are the same for every family. Rates: the model's own.
inline PreparedFacts facts_of(const Model& model) {
    return {
        .file = model.file, .model_rate_hz = model.sample_rate_hz, .sample_rate_hz = model.sample_rate_hz};
}

/// The memory in samples at `rate_hz`: what the file declares, else `otherwise_samples`; longest_memory_s at
/// most.
inline std::int64_t memory_at(double rate_hz, const Model& model, double otherwise_samples) {
    const double declared = static_cast<double>(model.memory_samples) * rate_hz / model.sample_rate_hz;
    const double samples = model.memory_samples > 0 ? declared : otherwise_samples;
    const auto longest = static_cast<std::int64_t>(longest_memory_s * rate_hz);
    return whole_within(std::ceil(samples), std::int64_t{0}, longest);
}

/// A whole number of `config`; `fallback` where it is absent.
inline int whole(const Model& model, std::string_view key, int fallback, int least, int most) {
    const double number = model.number(key, fallback);
    const auto whole = whole_between(number, least, most);
    if (!whole) refuse(model, "config.{} is {}; expected a whole number, {} to {}", key, number, least, most);
    return *whole;
}

/// Number of parts in a file whose tensors are named PREFIX0.X, PREFIX1.X, ...: the highest number plus one,
/// at least 1.
inline int count_of(const Model& model, std::string_view prefix, int most) {
    int count = 1;
    for (const Tensor& tensor : model.tensors) {
        if (tensor.name.rfind(prefix, 0) != 0) continue;
        const char *begin = tensor.name.data() + prefix.size(),
                   *end = tensor.name.data() + tensor.name.size();
        int number = 0;
        if (std::from_chars(begin, end, number).ec != std::errc() || number < 0) continue;
        if (number >= most)
            refuse(model, "tensor \"{}\": at most {} of \"{}N\" are supported", tensor.name, most, prefix);
        count = std::max(count, number + 1);
    }
    return count;
}

/// Whether it is the second of two words; the first where it is absent.
inline bool is_second(const Model& model, std::string_view key, std::string_view first,
                      std::string_view second) {
    const std::string said = model.text(key, first);
    if (said == first || said == second) return said == second;
    const std::string_view near = nearest_name(said, {first, second});
    refuse(model, "config.{} is \"{}\"; expected \"{}\" or \"{}\"{}", key, said, first, second,
           near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace gainstage
