#include "tools/gainstage/machine_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/own_folders.hpp"
#include "runtime/patch/expect.hpp"
#include "runtime/patch/toml_value.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace {

constexpr std::size_t largest_bytes = std::size_t{1} << 20;

const Names keys{"device", "api", "rate", "block", "midi"};

/// Keys that are planned: whoever writes one would believe that it does something.
const Names later_keys{"budget_percent", "interface_dbu", "model_folders", "channels"};

std::optional<std::vector<std::string>> texts(const TomlEntry& entry, const Expect& expect) {
    const auto* list = entry.value.as<std::vector<TomlValue>>();
    std::vector<std::string> all;
    for (const TomlValue& one : list ? *list : std::vector<TomlValue>{entry.value}) {
        const auto* text = one.as<std::string>();
        if (!text || text->empty()) {
            expect.error(entry, fmt::format("{}; expected a list of names of ports: midi = [\"nano\"]",
                                            text ? "an empty name" : kind_of(one)));
            return std::nullopt;
        }
        all.push_back(*text);
    }
    return all;
}

std::optional<std::string> name(const TomlEntry& entry, const Expect& expect) {
    const std::string* text = expect.text(entry);
    if (!text) return std::nullopt;
    if (!text->empty()) return *text;
    expect.error(entry, "an empty name; take the key out, or name one of those that gainstage devices lists");
    return std::nullopt;
}

void take(const TomlEntry& entry, MachineFile& machine, const Expect& expect) {
    if (entry.key == "device")
        machine.device = name(entry, expect);
    else if (entry.key == "api")
        machine.api = name(entry, expect);
    else if (entry.key == "rate")
        machine.rate_hz = expect.whole_number(entry, 8'000, 384'000);
    else if (entry.key == "block")
        machine.block_frames = expect.whole_number(entry, 1, 8'192);
    else if (entry.key == "midi")
        machine.midi = texts(entry, expect);
    else if (std::find(later_keys.begin(), later_keys.end(), entry.key) != later_keys.end())
        expect.error(entry, "this version of Gainstage does nothing with it; take it out");
    else
        expect.unknown_key(entry, "unknown key", keys);
}

MachineFile refused(const std::string& path, const std::string& message, int exit_code) {
    MachineFile machine{.path = path};
    machine.problems.push_back(
        {.file = path, .place = {}, .key = {}, .message = message, .exit_code = exit_code});
    return machine;
}

}  // namespace

std::string machine_file_path() {
    const std::string folder = config_folder();
    return folder.empty() ? folder : folder + "/machine.toml";
}

MachineFile read_machine_file() {
    const std::string path = machine_file_path();
    struct stat found {};
    // A home that this user may not enter holds no file of theirs.
    const bool is_absent = path.empty() || (lstat(path.c_str(), &found) != 0 &&
                                            (errno == ENOENT || errno == ENOTDIR || errno == EACCES));
    if (is_absent) return {};
    try {
        return parse_machine_file(read_whole_file(path, "machine file", largest_bytes), path);
    } catch (const FileFault& fault) {
        return refused(path, fault.what(), fault.exit_code);
    }
}

MachineFile parse_machine_file(std::string_view text, const std::string& path) {
    if (const std::string cause = no_text(text); !cause.empty())
        return refused(path, cause, sysexits::bad_data);
    MachineFile machine{.path = path};
    ProblemList problems(path);
    if (const auto document = parse_toml(with_line_feeds(without_mark(text)), problems)) {
        const Expect expect("", problems);
        for (const TomlEntry& entry : *document) take(entry, machine, expect);
    }
    machine.problems = problems.take();
    return machine;
}

std::string text_of(const MachineFile& machine) {
    std::vector<std::string> parts;
    if (machine.device) parts.push_back(fmt::format("device {}", in_quotes(*machine.device)));
    if (machine.api) parts.push_back(fmt::format("API {}", in_quotes(*machine.api)));
    if (machine.rate_hz) parts.push_back(fmt::format("{} Hz", *machine.rate_hz));
    if (machine.block_frames) parts.push_back(fmt::format("blocks of {} frames", *machine.block_frames));
    if (machine.midi)
        for (const std::string& port : *machine.midi)
            parts.push_back(fmt::format("MIDI from {}", in_quotes(port)));
    return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace gainstage
