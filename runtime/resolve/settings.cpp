#include "runtime/resolve/settings.hpp"

#include <algorithm>
#include <limits>

#include "runtime/numbers.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

std::optional<double> as_number(const Setting& setting) {
    if (const auto* whole = std::get_if<std::int64_t>(&setting.value)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&setting.value); real && std::isfinite(*real)) return *real;
    return std::nullopt;
}

std::string with_unit(std::string text, const std::string& unit) {
    return unit.empty() ? text : text + " " + unit;
}

float step_value(const ParamSpec& spec, int step) {
    return spec.min + step_width(spec) * static_cast<float>(step);
}

/// A player writes the positions of a switch in decimal; 0.3333 is near enough to 1/3.
std::optional<float> written_step(const ParamSpec& spec, float value) {
    const float nearest = nearest_value(spec, value);
    if (std::abs(value - nearest) > 1e-3f * std::abs(step_width(spec))) return std::nullopt;
    return nearest;
}

bool within(const OptionSpec& spec, double value) {
    return spec.min >= spec.max || (value >= spec.min && value <= spec.max);
}

std::string range_text(const OptionSpec& spec) {
    return spec.min < spec.max ? fmt::format(" from {} to {}", spec.min, spec.max) : "";
}

std::optional<OptionValue> channel_list(const OptionSpec& spec, const std::vector<std::int64_t>& numbers) {
    if (numbers.empty() || numbers.size() > max_channels) return std::nullopt;
    std::vector<int> channels;
    for (const std::int64_t number : numbers) {
        const auto channel = whole_between(number, 1, std::numeric_limits<int>::max());
        if (!channel || !within(spec, *channel)) return std::nullopt;
        channels.push_back(*channel);
    }
    return channels;
}

std::vector<std::int64_t> parsed_list(std::string_view text) {
    std::vector<std::int64_t> numbers;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (auto at = std::find_if(text.begin(), text.end(), is_digit); at != text.end();
         at = std::find_if(at, text.end(), is_digit)) {
        std::int64_t number = 0;
        for (; at != text.end() && is_digit(*at); ++at) number = 10 * number + (*at - '0');
        numbers.push_back(number);
    }
    return numbers;
}

/// The default, as a player would write it.
std::optional<Setting> default_setting(const OptionSpec& spec) {
    Setting setting{spec.name, {}, spec.start};
    const auto number = text_as_number(spec.start);
    switch (spec.kind) {
        case OptionKind::integer:
            if (!number) return std::nullopt;
            setting.value = whole_within(*number, std::numeric_limits<std::int64_t>::min(),
                                         std::numeric_limits<std::int64_t>::max());
            break;
        case OptionKind::number:
            if (!number) return std::nullopt;
            setting.value = *number;
            break;
        case OptionKind::boolean:
            setting.value = spec.start == "true";
            break;
        case OptionKind::channel_list:
            setting.value = parsed_list(spec.start);
            break;
        case OptionKind::text:
        case OptionKind::choice:
            break;
    }
    return setting;
}

}  // namespace

std::string expectation(const ParamSpec& spec) {
    if (spec.steps <= 0) return with_unit(fmt::format("{} to {}", spec.min, spec.max), spec.unit);
    if (spec.steps > 8)
        return with_unit(fmt::format("one of {} values from {} to {}", spec.steps, spec.min, spec.max),
                         spec.unit);
    std::string list;
    for (int step = 0; step < spec.steps; ++step)
        list += fmt::format("{}{:g}",
                            step == 0                ? ""
                            : step + 1 == spec.steps ? " or "
                                                     : ", ",
                            step_value(spec, step));
    return with_unit(list, spec.unit);
}

std::string expectation(const OptionSpec& spec) {
    switch (spec.kind) {
        case OptionKind::integer:
            return "a whole number" + range_text(spec);
        case OptionKind::number:
            return "a number" + range_text(spec);
        case OptionKind::text:
            return "a text in quotation marks";
        case OptionKind::choice:
            return "one of " + list_of(Names(spec.choices.begin(), spec.choices.end()));
        case OptionKind::boolean:
            return "true or false";
        case OptionKind::channel_list:
            return fmt::format("a list of one or two channels{}, such as [1, 2]", range_text(spec));
    }
    return {};
}

std::string found(const Setting& setting) {
    struct Say {
        std::string operator()(bool value) const { return value ? "true" : "false"; }
        std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
        std::string operator()(double value) const { return fmt::format("{}", value); }
        std::string operator()(const std::string& value) const { return in_quotes(value); }
        std::string operator()(NotTrivial) const { return "nothing"; }
        std::string operator()(const std::vector<std::int64_t>& value) const {
            return "[" + shown(fmt::format("{}", fmt::join(value, ", "))) + "]";
        }
    };
    return std::visit(Say{}, setting.value);
}

bool fits(double value, float min, float max) {
    const auto rounded = as_float(value);  // 0.1 is no float, but a range may begin there
    return rounded && *rounded >= min && *rounded <= max;
}

std::optional<float> knob_value(const ParamSpec& spec, const Setting& setting) {
    if (const auto* on = std::get_if<bool>(&setting.value)) {
        if (spec.steps != 2) return std::nullopt;
        return *on ? spec.max : spec.min;
    }
    const auto number = as_number(setting);
    if (!number || !fits(*number, spec.min, spec.max)) return std::nullopt;
    const auto value = static_cast<float>(*number);
    return spec.steps > 0 ? written_step(spec, value) : value;
}

std::optional<bool> switch_value(const Setting& setting) {
    static const ParamSpec on_or_off{.name = "switch", .min = 0.f, .max = 1.f, .steps = 2};
    const auto value = knob_value(on_or_off, setting);
    if (!value) return std::nullopt;
    return *value > 0.5f;
}

std::optional<OptionValue> option_value(const OptionSpec& spec, const Setting& setting) {
    const auto* whole = std::get_if<std::int64_t>(&setting.value);
    const auto* text = std::get_if<std::string>(&setting.value);
    const auto* flag = std::get_if<bool>(&setting.value);
    const auto* list = std::get_if<std::vector<std::int64_t>>(&setting.value);
    const auto number = as_number(setting);
    switch (spec.kind) {
        case OptionKind::integer:
            if (whole && within(spec, static_cast<double>(*whole))) return *whole;
            break;
        case OptionKind::number:
            if (number && within(spec, *number)) return *number;
            break;
        case OptionKind::text:
            if (text) return *text;
            break;
        case OptionKind::choice:
            if (text && std::find(spec.choices.begin(), spec.choices.end(), *text) != spec.choices.end())
                return *text;
            break;
        case OptionKind::boolean:
            if (flag) return *flag;
            break;
        case OptionKind::channel_list:
            if (list) return channel_list(spec, *list);
            break;
    }
    return std::nullopt;
}

std::optional<OptionValue> default_value(const OptionSpec& spec) {
    if (spec.start.empty()) return std::nullopt;
    const auto setting = default_setting(spec);
    auto value = setting ? option_value(spec, *setting) : std::nullopt;
    if (!value) throw std::logic_error("default of option " + spec.name + " does not fit its own spec");
    return value;
}

}  // namespace gainstage
