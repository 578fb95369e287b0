#include "runtime/control/take_log.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace gainstage {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string folder_of_models(const std::string& log) {
    return log + ".files";
}
std::string model_name(std::uint64_t hash) {
    return fmt::format("{:016x}", hash);
}
std::string model_path(const std::string& log, const std::string& name) {
    return (fs::path(folder_of_models(log)) / (name + ".safetensors")).string();
}

json event_line(const EngineNews& news, const std::string& parameter) {
    const Event& event = news.event;
    switch (event.kind) {
        case EventKind::midi:
            return {{"midi",
                     std::vector<int>(event.midi.bytes.begin(), event.midi.bytes.begin() + event.midi.size)},
                    {"port", event.port}};
        case EventKind::knob:
            return {
                {"set", news.node + "." + parameter}, {"value", event.value}, {"smooth_ms", event.smooth_ms}};
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

std::string TakeLog::keep_model(const Model& model, const PatchLoader& loader) {
    std::string name = model_name(model.content_hash);
    const Snapshot* snapshot = loader.snapshot(model);
    if (!snapshot || !kept_.insert(model.content_hash).second) return name;
    std::error_code error;
    fs::create_directories(folder_of_models(file_), error);
    std::ofstream copy(model_path(file_, name), std::ios::binary);
    copy.write(reinterpret_cast<const char*>(snapshot->bytes.data()),
               static_cast<std::streamsize>(snapshot->bytes.size()));
    good_ = good_ && copy.good();
    return name;
}

void TakeLog::write(const EngineNews& news, const std::string& parameter, const PatchLoader& loader) {
    json entry;
    if (news.kind == EngineNews::Kind::event) {
        entry = event_line(news, parameter);
    } else if (news.kind == EngineNews::Kind::started) {
        if (news.graph) {
            json models = json::object();
            for (const GraphNode& node : news.graph->nodes)
                if (node.model) models[node.model->file] = keep_model(*node.model, loader);
            entry["play"] = {
                {"file", news.graph->file}, {"text", news.graph->patch_text}, {"models", models}};
        }
        if (news.warmed) entry["warm_from"] = news.warm_from;
        if (!news.swapped.empty()) entry["swapped"] = news.swapped;
        if (!news.returned.empty()) entry["returned"] = news.returned;
    } else if (news.kind == EngineNews::Kind::tripped || news.kind == EngineNews::Kind::latched) {
        entry = {{"tripped", news.node}, {"latched", news.kind == EngineNews::Kind::latched}};
    } else {
        return;
    }
    entry["at"] = news.stamp;
    line(entry.dump());
}

// ------------------------------------------------------------------------------------------------ reading

namespace {

class TakeReader {
public:
    explicit TakeReader(const std::string& file) : file_(file), stream_(file) {
        if (!stream_) throw std::runtime_error(fmt::format("{}: cannot be opened; is it there?", file));
    }

    Take read() {
        for (std::string text; std::getline(stream_, text);) {
            ++line_;
            try {
                take_line(json::parse(text));
            } catch (const json::exception& error) {
                throw std::runtime_error(
                    fmt::format("{}:{}: not a line of a take's log: {}", file_, line_, error.what()));
            }
        }
        if (take_.changes.empty() || !take_.changes.front().has_patch)
            throw std::runtime_error(fmt::format("{}: holds no patch; was it written by run --log?", file_));
        return std::move(take_);
    }

private:
    void take_line(const json& line) {
        if (line_ == 1) {
            if (line.value("gainstage_log", 0) != 1)
                throw std::runtime_error(fmt::format("{}:1: not a log of Gainstage (format 1)", file_));
            take_.sample_rate_hz = line.at("sample_rate_hz").get<double>();
            return;
        }
        if (!line.at("at").is_number_unsigned())
            throw std::runtime_error(
                fmt::format("{}:{}: at: expected a sample of the stream, 0 or more", file_, line_));
        const auto at = line.at("at").get<std::uint64_t>();
        if (line.contains("play") || line.contains("returned")) return take_change(line, at);
        LoggedEvent logged;
        logged.event.stamp = at;
        if (line.contains("midi")) {
            const auto bytes = line["midi"].get<std::vector<std::uint8_t>>();
            logged.event.kind = EventKind::midi;
            logged.event.midi = channel_message(bytes.data(), bytes.size());
            logged.event.port = line.value("port", std::uint8_t{0});
        } else if (line.contains("set")) {
            const auto target = line["set"].get<std::string>();
            logged.node = target.substr(0, target.rfind('.'));
            logged.parameter = target.substr(target.rfind('.') + 1);
            logged.event.value = line.at("value").get<float>();
            logged.event.smooth_ms = line.at("smooth_ms").get<float>();
        } else if (line.contains("panic")) {
            logged.event.kind = EventKind::panic;
        } else if (line.contains("fade_out_ms")) {
            logged.event.kind = EventKind::fade_out;
            logged.event.value = line["fade_out_ms"].get<float>();
        } else {
            return;  // what follows from the rest (a quarantine) needs no telling
        }
        take_.events.push_back(std::move(logged));
    }

    void take_change(const json& line, std::uint64_t at) {
        LoggedChange change;
        change.order.stamp = at;
        change.order.warmed = line.contains("warm_from");
        change.order.warm_from = line.value("warm_from", std::uint64_t{0});
        change.order.returning = line.value("returned", std::vector<std::string>{});
        if (line.contains("play")) {
            const json& play = line["play"];
            change.has_patch = true;
            change.file = play.at("file").get<std::string>();
            change.text = play.at("text").get<std::string>();
            for (const auto& [path, name] : play.at("models").items())
                change.models[path] = snapshot(name.get<std::string>());
        }
        take_.changes.push_back(std::move(change));
    }

    Snapshot snapshot(const std::string& name) {
        if (name.find_first_not_of("0123456789abcdef") != std::string::npos)
            throw std::runtime_error(
                fmt::format("{}:{}: models: expected the 16 digits of a weight file", file_, line_));
        const std::string path = model_path(file_, name);
        try {
            return {.hash = 0, .bytes = model_file_bytes(path)};
        } catch (const ModelError& error) {
            throw std::runtime_error(fmt::format("{}:{}: {}; keep the folder {} beside the log", file_, line_,
                                                 error.what(), folder_of_models(file_)));
        }
    }

    const std::string file_;
    std::ifstream stream_;
    Take take_;
    int line_ = 0;
};

}  // namespace

Take read_take(const std::string& file) {
    return TakeReader(file).read();
}

}  // namespace gainstage
