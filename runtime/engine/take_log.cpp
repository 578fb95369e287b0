#include "runtime/engine/take_log.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace gainstage {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

json event_line(const EngineNews& news) {
    const Event& event = news.event;
    switch (event.kind) {
        case EventKind::midi:
            return {{"midi",
                     std::vector<int>(event.midi.bytes.begin(), event.midi.bytes.begin() + event.midi.size)},
                    {"port", event.port}};
        case EventKind::knob:
            return {{"set", news.node + "." + news.parameter},
                    {"value", event.value},
                    {"smooth_ms", event.smooth_ms}};
        case EventKind::fade_out:
            return {{"fade_out_ms", event.value}};
        default:
            return {{"panic", true}};
    }
}

}  // namespace

TakeLog::TakeLog(const std::string& file, double sample_rate_hz) : file_(file), stream_(file) {
    if (!stream_)
        throw std::runtime_error(
            fmt::format("{}: cannot be written; is the folder there, and may you write to it?", file));
    line(json{{"gainstage_log", 1}, {"sample_rate_hz", sample_rate_hz}}.dump());
}

void TakeLog::line(const std::string& text) {
    stream_ << text << '\n' << std::flush;
    good_ = good_ && stream_.good();
}

/// Its name there.
std::string TakeLog::keep_model(const Model& model) {
    std::string name = fmt::format("{:016x}", model.content_hash);
    if (!kept_.insert(model.content_hash).second) return name;
    std::error_code error;
    fs::create_directories(kept_models_folder(file_), error);
    std::ofstream copy(kept_model_path(file_, name), std::ios::binary);
    copy.write(reinterpret_cast<const char*>(model.bytes.data()),
               static_cast<std::streamsize>(model.bytes.size()));
    good_ = good_ && copy.good();
    return name;
}

void TakeLog::write(const EngineNews& news) {
    json entry;
    if (news.kind == EngineNews::Kind::event) {
        entry = event_line(news);
    } else if (news.kind == EngineNews::Kind::started) {
        if (news.graph) {
            json models = json::object();
            for (const GraphNode& node : news.graph->nodes)
                if (node.model) models[node.model->file] = keep_model(*node.model);
            entry["play"] = {
                {"file", news.graph->file}, {"text", news.graph->patch_text}, {"models", models}};
        }
        if (news.warmed) entry["warm_from"] = news.warm_from;
        if (!news.swapped.empty()) entry["swapped"] = news.swapped;
        if (!news.returned.empty()) entry["returned"] = news.returned;
    } else if (news.kind == EngineNews::Kind::stalled) {
        entry["stalled"] = news.node;
    } else if (news.kind == EngineNews::Kind::tripped || news.kind == EngineNews::Kind::latched) {
        entry = {{"tripped", news.node}, {"latched", news.kind == EngineNews::Kind::latched}};
    } else {
        return;
    }
    entry["at"] = news.stamp;
    line(entry.dump());
}

}  // namespace gainstage
