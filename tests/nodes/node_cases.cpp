#include "tests/nodes/node_cases.hpp"

#include <filesystem>

#include "nodes/all_nodes.hpp"
#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"

namespace gainstage::test {

std::vector<std::shared_ptr<const Model>> models_for(const NodeType& type) {
    if (type.architecture.empty()) return {nullptr};
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(source_dir()) / "tests/data")) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(type.architecture + "-") && name.ends_with(".safetensors"))
            files.push_back(entry.path().string());
    }
    if (files.empty())
        FAIL("no test model for " << type.name << ": add tests/data/" << type.architecture
                                  << "-*.safetensors");
    std::sort(files.begin(), files.end());
    std::vector<std::shared_ptr<const Model>> models;
    for (const std::string& file : files) models.push_back(read_model_file(file));
    return models;
}

std::vector<std::pair<std::string, OptionValue>> required_options(const NodeType& type, int count) {
    std::vector<std::pair<std::string, OptionValue>> options;
    std::vector<int> channels;
    for (int c = 1; c <= count; ++c) channels.push_back(c);
    for (const OptionSpec& spec : type.options)
        if (spec.kind == OptionKind::channel_list) options.emplace_back(spec.name, channels);
    return options;
}

namespace {

/// Values other than the default, with words for them.
std::vector<std::pair<std::string, OptionValue>> other_values(const OptionSpec& spec) {
    std::vector<std::pair<std::string, OptionValue>> values;
    if (spec.kind == OptionKind::boolean) values.emplace_back("other", spec.start != "true");
    if (spec.kind == OptionKind::choice)
        for (const std::string& choice : spec.choices)
            if (choice != spec.start) values.emplace_back(choice, choice);
    if (spec.kind == OptionKind::integer)
        values.emplace_back("2", static_cast<std::int64_t>(std::min(spec.max, 2.)));
    if (spec.kind == OptionKind::number)
        for (const double end : {spec.min, spec.max}) values.emplace_back(std::to_string(end), end);
    return values;
}

std::vector<Case> cases_of(const NodeType& type) {
    std::vector<Case> cases;
    for (const auto& model : models_for(type)) {
        Case plain{.type = &type,
                   .config = {.options = required_options(type, 1), .model = model},
                   .name = type.name};
        if (model) plain.name += " " + std::filesystem::path(model->file).filename().string();
        const auto add = [&](const std::string& what, auto change) {
            Case variant = plain;
            variant.name += ", " + what;
            change(variant.config);
            cases.push_back(variant);
        };
        for (const double rate_hz : {44'100., 48'000., 96'000.})
            add("at " + std::to_string(static_cast<int>(rate_hz)) + " Hz",
                [&](NodeConfig& config) { config.sample_rate_hz = rate_hz; });
        plain.config.sample_rate_hz = model ? model->sample_rate_hz : 48'000.;
        const auto widen = [&](NodeConfig& config) {
            config.channels = 2;
            config.options = required_options(type, 2);
        };
        add("stereo", widen);
        if (std::any_of(type.inputs.begin(), type.inputs.end(),
                        [](const PortSpec& port) { return port.optional; }))
            for (const int width : {1, 2})
                add("stereo with all cables, the optional ones of width " + std::to_string(width),
                    [&](NodeConfig& config) {
                        widen(config);
                        for (const PortSpec& port : type.inputs)
                            config.input_channels.push_back(port.optional ? width : 2);
                    });
        for (const OptionSpec& spec : type.options)
            for (const auto& [shown, value] : other_values(spec))
                add("stereo, " + spec.name + " = " + shown, [&, other = value](NodeConfig& config) {
                    widen(config);
                    config.options.emplace_back(spec.name, other);
                });
    }
    return cases;
}

}  // namespace

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const NodeType& type : all_nodes())
        for (Case& each : cases_of(type)) cases.push_back(std::move(each));
    return cases;
}

}  // namespace gainstage::test
