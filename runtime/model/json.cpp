#include "runtime/model/json.hpp"

#include <fmt/format.h>

#include <set>

#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

/// Watches the parser: on its own, nlohmann's keeps the last of two equal keys and nests without bound.
class Watch {
public:
    explicit Watch(const std::string& where) : where_(where) {}

    bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        using Event = nlohmann::json::parse_event_t;
        if (depth > max_json_depth)
            throw ModelError(fmt::format("{}: nests deeper than {} levels", where_, max_json_depth));
        if (event == Event::object_start) keys_.emplace_back();
        if (event == Event::object_end) keys_.pop_back();
        if (event == Event::key && !keys_.back().insert(parsed.get<std::string>()).second)
            throw ModelError(
                fmt::format("{}: {} is there twice", where_, in_quotes(parsed.get<std::string>())));
        return true;
    }

private:
    const std::string& where_;
    std::vector<std::set<std::string>> keys_;
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& where) {
    // The parser copies its callback, so the lambda holds the watch by reference.
    Watch watch(where);
    try {
        return nlohmann::json::parse(
            text.begin(), text.end(),
            [&watch](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
                return watch(depth, event, parsed);
            });
    } catch (const nlohmann::json::exception& problem) {
        throw ModelError(fmt::format("{}: not valid JSON: {}", where, in_quotes(problem.what())));
    }
}

}  // namespace gainstage
