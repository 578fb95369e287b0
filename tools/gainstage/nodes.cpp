/// gainstage nodes [TYPE or TYPE.KNOB]

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "nodes/all_nodes.hpp"
#include "runtime/nearest_name.hpp"
#include "runtime/number_text.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

using Json = nlohmann::ordered_json;

const char* word(Width width) {
    switch (width) {
        case Width::follow:
            return "as wide as the node's widest cable";
        case Width::own:
            return "as wide as its cable";
        case Width::mono:
            return "mono";
        case Width::stereo:
            return "stereo";
        case Width::option:
            return "as the option channels says";
    }
    return "";
}

const char* word(OptionKind kind) {
    switch (kind) {
        case OptionKind::integer:
            return "whole number";
        case OptionKind::number:
            return "number";
        case OptionKind::text:
            return "text";
        case OptionKind::choice:
            return "choice";
        case OptionKind::boolean:
            return "true or false";
        case OptionKind::channel_list:
            return "list of channels";
    }
    return "";
}

std::string with_unit(double value, const std::string& unit) {
    return unit.empty() ? number_text(value) : number_text(value) + " " + unit;
}

std::string range(const ParamSpec& param) {
    if (param.steps == 2) return "0 or 1";
    return fmt::format("{} .. {}", number_text(param.min), with_unit(param.max, param.unit));
}

std::string range(const OptionSpec& option) {
    if (option.kind == OptionKind::choice) return fmt::format("{}", fmt::join(option.choices, ", "));
    if (option.kind == OptionKind::boolean || option.kind == OptionKind::text) return word(option.kind);
    const std::string numbers = fmt::format("{} .. {}", number_text(option.min), number_text(option.max));
    return option.kind == OptionKind::channel_list ? "one or two of " + numbers : numbers;
}

std::string names(const std::vector<PortSpec>& ports) {
    std::string all;
    for (const PortSpec& port : ports)
        all += fmt::format("{}{}", all.empty() ? "" : " ", port.optional ? "[" + port.name + "]" : port.name);
    return all.empty() ? "-" : all;
}

// ------------------------ for people

void print_list(NodeTypes types) {
    Table table({"TYPE", "INPUTS", "OUTPUTS", "WHAT IT DOES"});
    for (const NodeType& type : types)
        table.add({type.name, names(type.inputs), names(type.outputs), type.summary});
    put_text(table.text());
    put("\n[in brackets]: may stay without a cable. One type in full: gainstage nodes TYPE\n");
}

Table ports_table(const NodeType& type) {
    Table table({"PORT", "", "CHANNELS", ""});
    for (const PortSpec& port : type.inputs)
        table.add({port.name, port.optional ? "input, may stay without a cable" : "input", word(port.width),
                   port.summary});
    for (const PortSpec& port : type.outputs)
        table.add({port.name, "output", word(port.width), port.summary});
    return table;
}

Table params_table(const std::vector<ParamSpec>& params) {
    Table table({"KNOB", "RANGE", "START", "SMOOTHED", ""});
    for (const ParamSpec& param : params)
        table.add({param.name, range(param), number_text(param.start),
                   param.steps ? "no" : with_unit(param.smooth_ms, "ms"), param.summary});
    return table;
}

void add_options(const std::vector<OptionSpec>& options, Table& table) {
    for (const OptionSpec& option : options)
        table.add({option.name, range(option), option.required ? "required" : option.start, option.summary});
}

Table options_table(const NodeType& type) {
    Table table({"OPTION", "VALUES", "START", ""});
    if (!type.architecture.empty())
        table.add({"model", "a file", "required",
                   fmt::format("weights of architecture {}; its controls are knobs of the node",
                               type.architecture)});
    if (!type.architecture.empty())
        table.add({"rate", "auto, refuse", "auto", "what to do at another rate than the model's own"});
    add_options(type.options, table);
    return table;
}

Table readings_table(const NodeType& type) {
    Table table({"READING", "UNIT"});
    for (const ReadingSpec& reading : type.readings) table.add({reading.name, reading.unit});
    return table;
}

void print_type(const NodeType& type) {
    put("{}: {}\n", type.name, type.summary);
    for (const Table& table :
         {ports_table(type), params_table(type.params), options_table(type), readings_table(type)})
        if (!table.empty()) put_text("\n" + table.text("  "));
    if (!type.inputs.empty() && !type.outputs.empty())
        put("\nbypass and mute (true or false) are settings of the node and of scenes, and targets of "
            "MIDI.\n");
    else
        put("\nmute (true or false) is a setting of the node and of scenes, and a target of MIDI.\n");
    if (type.closes_loops) put("\nA loop of cables is legal through this node.\n");
}

// ------------------------ for scripts

Json json_of(const PortSpec& port) {
    static const char* const widths[] = {"follow", "own", "mono", "stereo", "option"};
    return {{"name", port.name},
            {"width", widths[static_cast<int>(port.width)]},
            {"optional", port.optional},
            {"summary", port.summary}};
}

Json json_of(const ParamSpec& param) {
    return {{"name", param.name},   {"unit", param.unit},      {"min", param.min},
            {"max", param.max},     {"start", param.start},    {"smooth_ms", param.smooth_ms},
            {"steps", param.steps}, {"summary", param.summary}};
}

Json json_of(const OptionSpec& option) {
    static const char* const kinds[] = {"integer", "number", "text", "choice", "boolean", "channel_list"};
    Json json{{"name", option.name},
              {"kind", kinds[static_cast<int>(option.kind)]},
              {"start", option.start},
              {"required", option.required},
              {"summary", option.summary}};
    if (option.kind == OptionKind::choice) json["choices"] = option.choices;
    if (option.min < option.max) json["min"] = option.min, json["max"] = option.max;
    return json;
}

Json json_of(const ReadingSpec& reading) {
    return {{"name", reading.name}, {"unit", reading.unit}};
}

template <class Spec>
Json list_of(const std::vector<Spec>& specs) {
    Json list = Json::array();
    for (const Spec& spec : specs) list.push_back(json_of(spec));
    return list;
}

Json json_of(const NodeType& type) {
    return {{"type", type.name},
            {"summary", type.summary},
            {"inputs", list_of(type.inputs)},
            {"outputs", list_of(type.outputs)},
            {"params", list_of(type.params)},
            {"options", list_of(type.options)},
            {"readings", list_of(type.readings)},
            {"architecture", type.architecture},
            {"closes_loops", type.closes_loops}};
}

// ------------------------

int fail_unknown(const std::string& what, const std::string& name, const Names& known) {
    const std::string_view nearest = nearest_name(name, known);
    return fail(usage, fmt::format("there is no {} \"{}\"{} ({})", what, name,
                                   nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest),
                                   fmt::join(known, ", ")));
}

int show_all(bool as_json) {
    Json all = Json::array();
    for (const NodeType& type : all_nodes()) all.push_back(json_of(type));
    as_json ? put_json(all) : print_list(all_nodes());
    return ok;
}

/// A knob or an option of a type.
int show_setting(const NodeType& type, const std::string& name, bool as_json) {
    Names known;
    for (const ParamSpec& param : type.params) {
        if (param.name == name)
            return as_json ? put_json(json_of(param)) : put_text(params_table({param}).text()), ok;
        known.push_back(param.name);
    }
    for (const OptionSpec& option : type.options) {
        known.push_back(option.name);
        if (option.name != name) continue;
        Table table({"OPTION", "VALUES", "START", ""});
        add_options({option}, table);
        return as_json ? put_json(json_of(option)) : put_text(table.text()), ok;
    }
    for (const char* const of_many : {"model", "rate", "smooth_ms", "bypass", "mute"})  // the page has them
        if (name == of_many) return as_json ? put_json(json_of(type)) : print_type(type), ok;
    return fail_unknown("knob or option of " + type.name, name, known);
}

}  // namespace

int run_nodes(const NodesOptions& options) {
    if (options.type.empty()) return show_all(options.json);
    const std::size_t dot = options.type.find('.');
    const std::string wanted = options.type.substr(0, dot);
    Names known;
    for (const NodeType& type : all_nodes()) {
        known.push_back(type.name);
        if (type.name != wanted) continue;
        if (dot != std::string::npos) return show_setting(type, options.type.substr(dot + 1), options.json);
        options.json ? put_json(json_of(type)) : print_type(type);
        return ok;
    }
    return fail_unknown("node type", wanted, known);
}

}  // namespace gainstage
