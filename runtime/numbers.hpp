#pragma once
/// The one way from a number that somebody else wrote to one of ours: checked, so that nothing is cut off.
/// Any thread; nothing here allocates or throws.

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace gainstage {

/// The number if it is whole and lies between the two; else nothing.
template <std::integral Whole, std::integral Found>
constexpr std::optional<Whole> whole_between(Found number, Whole least, Whole most) noexcept {
    if (std::cmp_less(number, least) || std::cmp_greater(number, most)) return std::nullopt;
    return static_cast<Whole>(number);
}
template <std::integral Whole>
std::optional<Whole> whole_between(double number, Whole least, Whole most) noexcept {
    // A double of 2^53 or more may stand for its neighbours, too.
    constexpr double exact = 9007199254740992.;
    if (!(std::abs(number) <= exact) || number != std::floor(number)) return std::nullopt;
    return whole_between(static_cast<std::int64_t>(number), least, most);
}
template <std::integral Whole, class Found>
std::optional<Whole> whole_between(std::optional<Found> number, Whole least, Whole most) noexcept {
    return number ? whole_between(*number, least, most) : std::nullopt;
}

/// The whole number nearest to it, and the nearer end of the range for one beyond it; `least` for no number.
template <std::integral Whole>
Whole whole_within(double number, Whole least, Whole most) noexcept {
    if (!(number > static_cast<double>(least))) return least;
    if (!(number < static_cast<double>(most))) return most;
    return static_cast<Whole>(std::round(number));
}

/// Nothing where no float is near: the number is not finite, or too large.
inline std::optional<float> as_float(double number) noexcept {
    if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) return std::nullopt;
    return static_cast<float>(number);
}

/// The text is a whole number, and nothing else.
inline std::optional<std::int64_t> text_as_whole(std::string_view text) noexcept {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The text is a finite number, and nothing else.
inline std::optional<double> text_as_number(std::string_view text) noexcept {
    double number = 0.;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
        return std::nullopt;
    return number;
}

}  // namespace gainstage
