#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <memory>
#include <utility>

#include "runtime/engine/take.hpp"
#include "runtime/file_names.hpp"
#include "runtime/model/hash.hpp"
#include "runtime/model/json.hpp"
#include "runtime/numbers.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/read_file.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace fs = std::filesystem;

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
            take_line(read_line(text));
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

    JsonValue read_line(const std::string& text) const {
        try {
            return read_json(text, {.string_bytes = longest_string});
        } catch (const JsonFault& fault) {
            refuse(lines_.has_line_end() ? fmt::format("not a line of a take's log: {}", fault.what())
                                         : "is cut off; take this line away to repeat what is before it");
        }
    }

    /// Null where the key is not there.
    template <class T>
    const T* optional(const JsonValue& object, const char* key, const char* what) const {
        const JsonValue* found = object.find(key);
        if (found && !found->as<T>()) refuse(fmt::format("{}: expected {}", key, what));
        return found ? found->as<T>() : nullptr;
    }
    template <class T>
    const T& required(const JsonValue& object, const char* key, const char* what) const {
        const T* found = optional<T>(object, key, what);
        if (!found) refuse(fmt::format("{}: missing; expected {}", key, what));
        return *found;
    }
    const std::string& text(const JsonValue& object, const char* key) const {
        return required<std::string>(object, key, "a text");
    }

    double number(const JsonValue& line, const char* key, double min, double max) const {
        const JsonValue* found = line.find(key);
        const auto number = found ? found->number() : std::nullopt;
        if (!number || !(*number >= min) || !(*number <= max))
            refuse(fmt::format("{}: expected a number from {:g} to {:g}", key, min, max));
        return *number;
    }
    /// A whole number from `least` to `most`.
    template <class Whole>
    Whole whole(const JsonValue& line, const char* key, const char* what, Whole least, Whole most) const {
        const JsonValue* found = line.find(key);
        const auto number = whole_between(found ? found->whole() : std::nullopt, least, most);
        if (!number) refuse(fmt::format("{}: expected {}, from {} to {}", key, what, least, most));
        return *number;
    }
    std::uint64_t sample(const JsonValue& line, const char* key, std::uint64_t least,
                         std::uint64_t most) const {
        return whole(line, key, "a sample of the stream", least, most);
    }

    void take_line(const JsonValue& line) {
        if (!line.as<JsonValue::Object>()) refuse("not a line of a take's log");
        if (!std::exchange(has_head_, true)) return take_head(line);
        if (const JsonValue* lost = line.find("lost")) return take_loss(*lost);
        if (const JsonValue* recorded = line.find("recorded")) return take_recording(*recorded);
        if (line.has("tripped")) return;  // follows from the rest
        if (line.has("stalled")) return;  // was the machine's doing; a replay does not repeat it
        latest_ = sample(line, "at", latest_, longest_take);
        if (line.has("play") || line.has("returned"))
            take_.changes.push_back(change(line));
        else
            take_.events.push_back(event(line));
    }

    void take_head(const JsonValue& line) {
        const JsonValue* format = line.find("gainstage_log");
        const auto found = whole_between<int>(format ? format->whole() : std::nullopt, 1, latest_format);
        if (!found) refuse(fmt::format("not a log of Gainstage (format 1 to {})", latest_format));
        knows_scenes_ = *found > 1;
        take_.sample_rate_hz = number(line, "sample_rate_hz", 1'000., 1e6);
        if (const JsonValue* lost = line.find("lost")) take_loss(*lost);
    }

    void take_recording(const JsonValue& recorded) {
        if (!recorded.as<JsonValue::Object>()) refuse("recorded: expected frames, channels and fnv1a64");
        TakeRecording& recording = take_.recording.emplace();
        recording.frames = sample(recorded, "frames", 0, longest_take);
        recording.channels = whole<int>(recorded, "channels", "a number of channels", 1, 1024);
        const std::string& digits = text(recorded, "fnv1a64");
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), recording.print, 16);
        if (digits.size() != 16 || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
            refuse("fnv1a64: expected 16 hexadecimal digits");
    }

    void take_loss(const JsonValue& lost) {
        if (!lost.as<JsonValue::Object>()) refuse("lost: expected from, to and what is missing");
        const std::uint64_t from = sample(lost, "from", 0, longest_take);
        const std::uint64_t to = sample(lost, "to", from, longest_take);
        const std::size_t before = take_.losses.size();
        for (const Loss::Kind kind : Loss::kinds) {
            const char* word = word_of(kind);
            if (!lost.has(word)) continue;
            const auto count = lost.find(word)->whole();
            if (count.value_or(0) == 0) refuse(fmt::format("lost: {}: expected a number from 1 on", word));
            take_.losses.push_back({.kind = kind, .from = from, .to = to, .count = *count});
        }
        if (take_.losses.size() == before) refuse("lost: expected lines, midi, events, moves or frames");
    }

    LoggedEvent event(const JsonValue& line) const {
        LoggedEvent logged;
        logged.event.stamp = latest_;
        if (line.has("midi")) {
            logged.event.kind = EventKind::midi;
            logged.event.midi = message(required<JsonValue::List>(line, "midi", "a list"));
            if (line.has("port"))
                logged.event.port = whole<std::uint8_t>(line, "port", "the number of a MIDI port", 0, 255);
        } else if (line.has("set")) {
            const std::string& target = text(line, "set");
            const std::size_t dot = target.find('.');
            if (dot == std::string::npos) refuse("set: expected \"node.parameter\"");
            logged.node = target.substr(0, dot);
            logged.parameter = target.substr(dot + 1);
            logged.event.value = static_cast<float>(number(line, "value", -1e30, 1e30));
            logged.event.smooth_ms = static_cast<float>(number(line, "smooth_ms", -1., longest_ramp_ms));
        } else if (line.has("panic")) {
            logged.event.kind = EventKind::panic;
        } else if (line.has("fade_out_ms")) {
            logged.event.kind = EventKind::fade_out;
            logged.event.value = static_cast<float>(number(line, "fade_out_ms", 0., longest_ramp_ms));
        } else if (knows_scenes_ && line.has("scene")) {
            logged.event.kind = EventKind::scene;
            logged.parameter = text(line, "scene");
            if (line.has("morph_ms"))
                logged.event.smooth_ms = static_cast<float>(number(line, "morph_ms", 0., longest_ramp_ms));
        } else {
            refuse("expected one of play, returned, midi, set, scene, panic, fade_out_ms");
        }
        return logged;
    }

    MidiMessage message(const JsonValue::List& bytes) const {
        std::vector<std::uint8_t> data;
        for (const JsonValue& byte : bytes)
            if (const auto value = whole_between<std::uint8_t>(byte.whole(), 0, 255)) data.push_back(*value);
        const MidiMessage found = channel_message(data.data(), data.size());
        if (found.size == 0 || data.size() != bytes.size())
            refuse("midi: expected the two or three bytes of a channel message");
        return found;
    }

    LoggedChange change(const JsonValue& line) {
        LoggedChange change;
        change.order.stamp = latest_;
        change.order.warmed = line.has("warm_from");
        if (change.order.warmed) change.order.warm_from = sample(line, "warm_from", 0, latest_);
        if (const auto* returned = optional<JsonValue::List>(line, "returned", "a list of nodes"))
            for (const JsonValue& node : *returned) {
                if (!node.as<std::string>()) refuse("returned: expected a list of nodes");
                change.order.returning.push_back(*node.as<std::string>());
            }
        change.has_patch = line.has("play");
        if (take_.changes.empty() && (!change.has_patch || latest_ != 0))
            refuse("a take begins with the patch that plays at sample 0");
        if (!take_.changes.empty() && take_.changes.back().order.stamp == latest_)
            refuse(fmt::format("at: sample {} has a change already", latest_));
        if (change.has_patch) take_patch(*line.find("play"), change);
        return change;
    }

    void take_patch(const JsonValue& play, LoggedChange& change) {
        LoggedPatch& patch = change.patch;
        patch.file = text(play, "file");
        patch.text = text(play, "text");
        const auto* folder = optional<std::string>(play, "folder", "a text");
        patch.folder = folder ? *folder : fs::path(patch.file).parent_path().string();
        if (const JsonValue* folders = play.find("link_folder")) patch.link_folders = texts(*folders);
        for (const auto& [path, name] :
             required<JsonValue::Object>(play, "models", "an object of names by path")) {
            if (!name.as<std::string>()) refuse("models: expected an object of names by path");
            patch.models[path] = kept_model(*name.as<std::string>());
        }
    }

    /// One text, or a list of them. Each is looked into for every model.
    std::vector<std::string> texts(const JsonValue& value) const {
        constexpr std::size_t most = 64;  // a system follows 40 links
        const JsonValue::List* list = value.as<JsonValue::List>();
        if (list && list->size() > most) refuse(fmt::format("link_folder: more than {} folders", most));
        std::vector<std::string> all;
        for (const JsonValue& one : list ? *list : JsonValue::List{value}) {
            if (!one.as<std::string>()) refuse("link_folder: expected a text, or a list of texts");
            all.push_back(*one.as<std::string>());
        }
        return all;
    }

    /// A log may name one file a million times: it is read once.
    std::shared_ptr<const std::vector<std::byte>> kept_model(const std::string& name) {
        auto& bytes = kept_[name];
        if (!bytes) bytes = std::make_shared<const std::vector<std::byte>>(read_kept_model(name));
        return bytes;
    }

    std::vector<std::byte> read_kept_model(const std::string& name) const {
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
    /// Of a patch with two letters for each line end, or three for each that is not ASCII.
    static constexpr std::size_t longest_string = std::size_t{12} << 20;
    static constexpr int latest_format = 2;
    static constexpr std::uint64_t longest_take = std::uint64_t{1} << 48;
    static constexpr double longest_ramp_ms = 1e6;

    const std::string file_;
    LineReader lines_;
    Take take_;
    ModelBytes kept_;  // by name
    int line_ = 0;
    bool has_head_ = false, knows_scenes_ = false;
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
                    sysexits::bad_data);
}

Take read_take(const std::string& file) {
    try {
        return TakeReader(file).read();
    } catch (const FileFault& fault) {
        throw TakeError(fmt::format("{}: {}", file, fault.what()), fault.exit_code);
    }
}

}  // namespace gainstage
