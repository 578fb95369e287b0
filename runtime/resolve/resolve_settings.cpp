#include <algorithm>
#include <cmath>

#include "runtime/resolve/draft.hpp"
#include "runtime/resolve/replaced_knob.hpp"
#include "runtime/resolve/settings.hpp"

namespace gainstage {

namespace {

constexpr double longest_smooth_ms = 10'000.;

/// The settings of one node's table, without its type and model.
class Settings {
public:
    Settings(Draft& draft, std::size_t index)
        : draft_(draft),
          written_(draft.patch.nodes[index]),
          node_(draft.graph.nodes.edit(index)),
          knobs_known_(draft.knobs_known[index]),
          type_(*node_.type) {}

    void resolve() {
        // Without its model its knobs are unknown.
        const bool judge_unknown = knobs_known_;
        for (const Setting& setting : written_.settings)
            if (!resolve_one(setting) && judge_unknown) complain_about_name(setting);
        complete_options();
        check_replaced();
    }

private:
    bool resolve_one(const Setting& setting) {
        if (takes_model() && setting.key == "model") return true;  // see resolve_model.cpp
        if (takes_model() && setting.key == "rate") return resolve_rate(setting);
        if (setting.key == "smooth_ms") return resolve_smoothing(setting);
        if (setting.key == "bypass" && may_be_bypassed(node_)) return resolve_switch(node_.bypass, setting);
        if (setting.key == "mute" && may_be_muted(node_)) return resolve_switch(node_.mute, setting);
        for (const OptionSpec& spec : type_.options)
            if (spec.name == setting.key) return resolve_option(spec, setting);
        const int param = node_.param_index(setting.key);
        return param >= 0 && resolve_knob(static_cast<std::size_t>(param), setting);
    }

    bool takes_model() const { return !type_.architecture.empty(); }
    bool has_smooth_knobs() const {
        return !knobs_known_ || std::any_of(node_.params.begin(), node_.params.end(),
                                            [](const ParamSpec& spec) { return spec.steps == 0; });
    }

    /// All knobs are replaced by options.
    bool moves_nothing() const {
        return knobs_known_ && !node_.params.empty() &&
               std::all_of(node_.params.begin(), node_.params.end(),
                           [&](const ParamSpec& spec) { return replacement_of(node_, spec.name); });
    }

    bool complain(const Setting& setting, std::string message) {
        draft_.problems.error(setting.place, key_of(node_, setting.key), std::move(message));
        return true;
    }
    bool complain_about_value(const Setting& setting, const std::string& wanted) {
        return complain(setting, fmt::format("{}; expected {}", found(setting), wanted));
    }

    bool resolve_rate(const Setting& setting) {
        const auto* text = std::get_if<std::string>(&setting.value);
        if (!text || (*text != "auto" && *text != "refuse"))
            return complain_about_value(setting, "\"auto\" or \"refuse\"");
        node_.refuse_other_rates = *text == "refuse";
        if (!node_.refuse_other_rates || !node_.model || draft_.rate_hz <= 0.) return true;
        const double trained_hz = node_.model->sample_rate_hz;
        if (same_rate(trained_hz, draft_.rate_hz)) return true;
        return complain(setting, fmt::format("the model was made for {:g} Hz and the stream runs at {:g} Hz; "
                                             "run at that rate, or write rate = \"auto\"",
                                             trained_hz, draft_.rate_hz));
    }

    bool resolve_smoothing(const Setting& setting) {
        if (!has_smooth_knobs()) return false;  // it would do nothing here
        const auto* whole = std::get_if<std::int64_t>(&setting.value);
        const auto* real = std::get_if<double>(&setting.value);
        const double ms = whole ? static_cast<double>(*whole) : real ? *real : -1.;
        if (!(ms >= 0. && ms <= longest_smooth_ms))
            return complain_about_value(setting, fmt::format("0 to {} ms", longest_smooth_ms));
        for (std::size_t i = 0; i < node_.params.size(); ++i)
            if (node_.params[i].steps == 0) node_.smooth_ms[i] = static_cast<float>(ms);
        return true;
    }

    bool resolve_switch(bool& is_on, const Setting& setting) {
        const auto value = switch_value(setting);
        if (!value) return complain_about_value(setting, "true or false");
        is_on = *value;
        return true;
    }

    bool resolve_option(const OptionSpec& spec, const Setting& setting) {
        if (auto value = option_value(spec, setting)) {
            node_.options.values.emplace_back(spec.name, std::move(*value));
            return true;
        }
        const auto* text = std::get_if<std::string>(&setting.value);
        if (text && spec.kind == OptionKind::choice)
            return complain(setting,
                            draft_.problems.unknown(in_quotes(*text) + " is not known here", *text, "one of",
                                                    Names(spec.choices.begin(), spec.choices.end())));
        return complain_about_value(setting, expectation(spec));
    }

    bool resolve_knob(std::size_t param, const Setting& setting) {
        const auto value = knob_value(node_.params[param], setting);
        if (!value) return complain_about_value(setting, expectation(node_.params[param]));
        node_.values[param] = *value;
        return true;
    }

    Names setting_names() const {
        Names names;
        if (takes_model()) names = {"model", "rate"};
        for (const OptionSpec& spec : type_.options) names.push_back(spec.name);
        for (const ParamSpec& spec : node_.params) names.push_back(spec.name);
        if (has_smooth_knobs()) names.push_back("smooth_ms");
        if (may_be_bypassed(node_)) names.push_back("bypass");
        if (may_be_muted(node_)) names.push_back("mute");
        return names;
    }

    void complain_about_name(const Setting& setting) {
        complain(setting,
                 draft_.problems.unknown(fmt::format("unknown setting of type {}", in_quotes(type_.name)),
                                         setting.key, "settings", setting_names()));
    }

    bool is_written(const OptionSpec& spec) const {
        return std::any_of(written_.settings.begin(), written_.settings.end(),
                           [&](const Setting& setting) { return setting.key == spec.name; });
    }

    /// Defaults, in the order of the spec.
    void complete_options() {
        Options complete;
        for (const OptionSpec& spec : type_.options) {
            if (node_.options.has(spec.name))
                complete.values.push_back(take(spec.name));
            else if (auto value = default_value(spec))
                complete.values.emplace_back(spec.name, std::move(*value));
            if (spec.required && !is_written(spec))
                draft_.problems.error(written_.place, key_of(node_),
                                      fmt::format("type {} needs {}; expected {}", in_quotes(type_.name),
                                                  in_quotes(spec.name), expectation(spec)));
        }
        node_.options = std::move(complete);
    }

    std::pair<std::string, OptionValue> take(const std::string& name) {
        for (auto& entry : node_.options.values)
            if (entry.first == name) return std::move(entry);
        return {};
    }

    void check_replaced() {
        for (const Setting& setting : written_.settings)
            if (setting.key == "smooth_ms" && moves_nothing())
                complain(setting, "there is no knob left that it could smooth; leave it out");
        for (const Setting& setting : written_.settings)
            if (const OptionSpec* option = replacement_of(node_, setting.key))
                complain(setting,
                         fmt::format("does nothing beside {}; write one of them", in_quotes(option->name)));
    }

    Draft& draft_;
    const PatchNode& written_;
    GraphNode& node_;
    const bool knobs_known_;
    const NodeType& type_;
};

}  // namespace

const OptionSpec* replacement_of(const GraphNode& node, std::string_view knob) {
    for (const OptionSpec& spec : node.type->options) {
        if (spec.replaces.empty() || spec.replaces != knob) continue;
        for (const auto& [name, value] : node.options.values)
            if (name == spec.name && value != default_value(spec)) return &spec;
    }
    return nullptr;
}

void resolve_settings(Draft& draft, int node) {
    Settings(draft, static_cast<std::size_t>(node)).resolve();
}

}  // namespace gainstage
