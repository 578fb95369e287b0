#include "runtime/number_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gainstage {

std::string number_text(double value, int digits) {
    constexpr int most_decimals = 15;
    if (!std::isfinite(value) || value == 0.) return fmt::format("{:g}", value);
    const int places = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;  // before the point
    std::string text = fmt::format("{:.{}f}", value, std::clamp(digits - places, 0, most_decimals));
    if (text.find('.') == text.npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

}  // namespace gainstage
