#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/engine/take.hpp"
#include "runtime/file_names.hpp"
#include "runtime/model/hash.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace fs = std::filesystem;
using nlohmann::json;

std::string kept_models_folder(const std::string& log) {
    return finished_name(log) + ".files";
}

std::string kept_model_path(const std::string& log, const std::string& name) {
    return (fs::path(kept_models_folder(log)) / (name + ".safetensors")).string();
}

namespace {

/// A log may have been edited, cut short, or made by somebody else: nothing in it is taken for granted.
class TakeReader {
public:
    explicit TakeReader(const std::string& file) : file_(file), lines_(file, "log", longest_line) {}

    /// Throws TakeError, FileFault.
    Take read() {
        for (std::string text; lines_.next(text);) {
            ++line_;
            if (text.find_first_not_of(" \t") == std::string::npos) continue;
            try {
                take_line(json::parse(text));
            } catch (const json::parse_error&) {
                refuse(lines_.has_line_end() ? "not a line of a take's log"
                                             : "is cut off; take this line away to repeat what is before it");
            } catch (const json::exception& error) {
                refuse(fmt::format("not a line of a take's log: {}", error.what()));
            }
        }
        if (take_.changes.empty())
            throw TakeError(fmt::format("{}: holds no patch; was it written by run --log?", file_),
                            sysexits::bad_data);
        return std::move(take_);
    }

private:
    [[noreturn]] void refuse(const std::string& message) const {
        throw TakeError(fmt::format("{}:{}: {}", file_, line_, message), sysexits::bad_data);
    }

    double number(const json& line, const char* key, double min, double max) const {
        const json& value = line.at(key);
        if (!value.is_number() || !(value.get<double>() >= min) || !(value.get<double>() <= max))
            refuse(fmt::format("{}: expected a number from {:g} to {:g}", key, min, max));
        return value.get<double>();
    }
    std::uint64_t sample(const json& line, const char* key, std::uint64_t least, std::uint64_t most) const {
        const json& value = line.at(key);
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
            value.get<std::uint64_t>() > most)
            refuse(fmt::format("{}: expected a sample of the stream, from {} to {}", key, least, most));
        return value.get<std::uint64_t>();
    }

    void take_line(const json& line) {
        if (!line.is_object()) refuse("not a line of a take's log");
        if (!std::exchange(has_head_, true)) return take_head(line);
        if (line.contains("lost")) return take_loss(line["lost"]);
        if (line.contains("tripped")) return;  // follows from the rest
        if (line.contains("stalled")) return;  // was the machine's doing; a replay does not repeat it
        latest_ = sample(line, "at", latest_, longest_take);
        if (line.contains("play") || line.contains("returned"))
            take_.changes.push_back(change(line));
        else
            take_.events.push_back(event(line));
    }

    void take_head(const json& line) {
        if (line.value("gainstage_log", 0) != 1) refuse("not a log of Gainstage (format 1)");
        take_.sample_rate_hz = number(line, "sample_rate_hz", 1'000., 1e6);
        if (line.contains("lost")) take_loss(line["lost"]);
    }

    void take_loss(const json& lost) {
        if (!lost.is_object()) refuse("lost: expected from, to and what is missing");
        const std::uint64_t from = sample(lost, "from", 0, longest_take);
        const std::uint64_t to = sample(lost, "to", from, longest_take);
        const std::size_t before = take_.losses.size();
        for (const Loss::Kind kind : Loss::kinds) {
            if (!lost.contains(word_of(kind))) continue;
            const json& count = lost[word_of(kind)];
            if (!count.is_number_unsigned() || count == 0)
                refuse(fmt::format("lost: {}: expected a number from 1 on", word_of(kind)));
            take_.losses.push_back(
                {.kind = kind, .from = from, .to = to, .count = count.get<std::uint64_t>()});
        }
        if (take_.losses.size() == before) refuse("lost: expected lines, midi, events, moves or frames");
    }

    LoggedEvent event(const json& line) const {
        LoggedEvent logged;
        logged.event.stamp = latest_;
        if (line.contains("midi")) {
            logged.event.kind = EventKind::midi;
            logged.event.midi = message(line["midi"]);
            logged.event.port = line.value("port", std::uint8_t{0});
        } else if (line.contains("set")) {
            const auto target = line["set"].get<std::string>();
            const std::size_t dot = target.find('.');
            if (dot == std::string::npos) refuse("set: expected \"node.parameter\"");
            logged.node = target.substr(0, dot);
            logged.parameter = target.substr(dot + 1);
            logged.event.value = static_cast<float>(number(line, "value", -1e30, 1e30));
            logged.event.smooth_ms = static_cast<float>(number(line, "smooth_ms", -1., longest_ramp_ms));
        } else if (line.contains("panic")) {
            logged.event.kind = EventKind::panic;
        } else if (line.contains("fade_out_ms")) {
            logged.event.kind = EventKind::fade_out;
            logged.event.value = static_cast<float>(number(line, "fade_out_ms", 0., longest_ramp_ms));
        } else {
            refuse("expected one of play, returned, midi, set, panic, fade_out_ms");
        }
        return logged;
    }

    MidiMessage message(const json& bytes) const {
        std::vector<std::uint8_t> data;
        for (const json& byte : bytes)
            if (byte.is_number_unsigned() && byte.get<std::uint64_t>() < 256)
                data.push_back(byte.get<std::uint8_t>());
        const MidiMessage found = channel_message(data.data(), data.size());
        if (found.size == 0 || data.size() != bytes.size())
            refuse("midi: expected the two or three bytes of a channel message");
        return found;
    }

    LoggedChange change(const json& line) {
        LoggedChange change;
        change.order.stamp = latest_;
        change.order.warmed = line.contains("warm_from");
        if (change.order.warmed) change.order.warm_from = sample(line, "warm_from", 0, latest_);
        change.order.returning = line.value("returned", std::vector<std::string>{});
        change.has_patch = line.contains("play");
        if (take_.changes.empty() && (!change.has_patch || latest_ != 0))
            refuse("a take begins with the patch that plays at sample 0");
        if (!take_.changes.empty() && take_.changes.back().order.stamp == latest_)
            refuse(fmt::format("at: sample {} has a change already", latest_));
        if (change.has_patch) take_patch(line["play"], change);
        return change;
    }

    void take_patch(const json& play, LoggedChange& change) {
        LoggedPatch& patch = change.patch;
        patch.file = play.at("file").get<std::string>();
        patch.text = play.at("text").get<std::string>();
        patch.folder = play.value("folder", fs::path(patch.file).parent_path().string());
        patch.link_folder = play.value("link_folder", std::string());
        for (const auto& [path, name] : play.at("models").items())
            patch.models[path] = kept_model(name.get<std::string>());
    }

    std::vector<std::byte> kept_model(const std::string& name) const {
        if (name.size() != 16 || name.find_first_not_of("0123456789abcdef") != std::string::npos)
            refuse(fmt::format("models: {} is no name of a weight file; expected its 16 digits",
                               in_quotes(name)));
        std::vector<std::byte> bytes;
        try {
            bytes = model_file_bytes(kept_model_path(file_, name));
        } catch (const ModelError& error) {
            refuse(fmt::format("{}; keep the folder {} beside the log", error.what(),
                               kept_models_folder(file_)));
        }
        Hash hash;
        hash.add(bytes);
        if (fmt::format("{:016x}", hash.value()) != name)
            refuse(fmt::format("{} is not the file that the take played; bring back the folder {} as it was",
                               kept_model_path(file_, name), kept_models_folder(file_)));
        return bytes;
    }

    /// A patch has at most 4 MiB, and JSON may write six letters for one.
    static constexpr std::size_t longest_line = std::size_t{32} << 20;
    static constexpr std::uint64_t longest_take = std::uint64_t{1} << 48;
    static constexpr double longest_ramp_ms = 1e6;

    const std::string file_;
    LineReader lines_;
    Take take_;
    int line_ = 0;
    bool has_head_ = false;
    std::uint64_t latest_ = 0;  // stamps never go back
};

}  // namespace

std::string text_of_losses(const Take& take) {
    constexpr std::size_t most = 4;
    std::string text;
    for (std::size_t k = 0; k < take.losses.size() && k < most; ++k)
        text += (k > 0 ? "; " : "") + text_of(take.losses[k], take.sample_rate_hz);
    if (take.losses.size() > most) text += fmt::format("; and {} more", take.losses.size() - most);
    return text;
}

void must_be_whole(const Take& take, const std::string& file) {
    if (take.losses.empty()) return;
    throw TakeError(fmt::format("{}: the take is not whole: {}; --incomplete repeats what there is of it",
                                file, text_of_losses(take)),
                    65);
}

Take read_take(const std::string& file) {
    try {
        return TakeReader(file).read();
    } catch (const FileFault& fault) {
        throw TakeError(fmt::format("{}: {}", file, fault.what()), fault.exit_code);
    }
}

}  // namespace gainstage
