#include "runtime/patch/expect.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/numbers.hpp"

namespace gainstage {

namespace {
std::string range_text(double min, double max, std::string_view unit) {
    return fmt::format("{} to {}{}{}", min, max, unit.empty() ? "" : " ", unit);
}
}  // namespace

std::string Expect::key(const TomlEntry& entry) const {
    const std::string id = id_.empty() ? "" : shown(id_) + ".";
    return fmt::format("{}{}{}", table_, id, shown(entry.key));
}

const std::string* Expect::text(const TomlEntry& entry) const {
    const auto* text = entry.value.as<std::string>();
    if (!text) error(entry, fmt::format("{}; expected a text in quotation marks", kind_of(entry.value)));
    return text;
}

std::optional<double> Expect::any_number(const TomlEntry& entry) const {
    std::optional<double> number;
    if (const auto* whole = entry.value.as<std::int64_t>()) number = static_cast<double>(*whole);
    if (const auto* real = entry.value.as<double>()) number = *real;
    if (number && std::isfinite(*number)) return number;
    error(entry, fmt::format("{}; expected a number",
                             number ? "not a finite number" : kind_of(entry.value).c_str()));
    return std::nullopt;
}

std::optional<double> Expect::number(const TomlEntry& entry, double min, double max,
                                     std::string_view unit) const {
    const auto number = any_number(entry);
    if (!number || (*number >= min && *number <= max)) return number;
    error(entry, fmt::format("{} is out of range; expected {}", *number, range_text(min, max, unit)));
    return std::nullopt;
}

std::optional<int> Expect::whole_number(const TomlEntry& entry, int min, int max) const {
    const auto* number = entry.value.as<std::int64_t>();
    if (const auto whole = number ? whole_between(*number, min, max) : std::nullopt) return whole;
    error(entry,
          fmt::format("{}; expected a whole number from {} to {}",
                      number ? fmt::format("{} is out of range", *number) : kind_of(entry.value), min, max));
    return std::nullopt;
}

std::optional<std::size_t> Expect::choice(const TomlEntry& entry, const Names& names) const {
    const auto* text = entry.value.as<std::string>();
    if (!text) {
        error(entry, fmt::format("{}; expected one of {}", kind_of(entry.value), list_of(names)));
        return std::nullopt;
    }
    const auto found = std::find(names.begin(), names.end(), *text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    error(entry, problems_.unknown(in_quotes(*text) + " is not known here", *text, "one of", names));
    return std::nullopt;
}

void Expect::unknown_key(const TomlEntry& entry, std::string_view cause, const Names& keys) const {
    error(entry, problems_.unknown(cause, entry.key, "keys", keys));
}

}  // namespace gainstage
