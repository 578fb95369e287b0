#include "tests/patches/shipped.hpp"
#include "tests/support/places.hpp"

#include <algorithm>
#include <stdexcept>

#include "nodes/all_nodes.hpp"
#include "runtime/control/render.hpp"

namespace gainstage::test {

namespace {

const std::filesystem::path folder = std::filesystem::path(source_dir()) / "patches";
constexpr int block_frames = 512;

}  // namespace

std::vector<std::filesystem::path> shipped_patches() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".toml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

Shipped::Shipped(const std::string& file) : loader_(all_nodes(), shipped_rate_hz) {
    Resolved loaded = loader_.load((folder / (file + ".toml")).string());
    if (!loaded.graph) throw std::runtime_error(loaded.problems.front().text());
    graph_ = std::move(*loaded.graph);
}

Shipped& Shipped::with(const std::string& target, float value) {
    const FoundTarget found = find_target(graph_, target);
    if (!found.target) throw std::runtime_error(found.problem);
    if (found.target->kind == TargetKind::parameter) {
        GraphNode& node = graph_.nodes.edit(static_cast<std::size_t>(found.target->node));
        node.values[found.target->param] = value;
        if (!node.start.empty()) node.start[found.target->param] = value;
    } else
        switches_.emplace_back(*found.target, value);
    return *this;
}

Shipped& Shipped::scene(const std::string& name) {
    const int index = graph_.scene_index(name);
    if (index < 0) throw std::runtime_error("no scene " + name);
    begin_with(graph_, index);
    return *this;
}

Shipped& Shipped::midi(int frame, const std::array<int, 3>& bytes) {
    MidiMessage message{.size = 3, .bytes = {}};
    for (std::size_t k = 0; k < bytes.size(); ++k) message.bytes[k] = static_cast<std::uint8_t>(bytes[k]);
    events_.push_back({.kind = EventKind::midi, .midi = message, .stamp = static_cast<std::uint64_t>(frame)});
    return *this;
}

Shipped& Shipped::program(int frame, int number) {
    const MidiMessage message{.size = 2, .bytes = {0xC0, static_cast<std::uint8_t>(number), 0}};
    events_.push_back({.kind = EventKind::midi, .midi = message, .stamp = static_cast<std::uint64_t>(frame)});
    return *this;
}

Sound Shipped::play(const Sound& in) {
    OfflineStream stream({.sample_rate_hz = shipped_rate_hz, .max_frames = block_frames}, loader_);
    if (has_errors(stream.start(graph_))) throw std::runtime_error(graph_.name + " cannot start");
    for (const auto& [target, value] : switches_) stream.add(stream.engine().event_for(target, value));
    for (const Event& event : events_) stream.add(event);

    const int latency = stream.engine().playing()->latency_samples;
    const int frames = static_cast<int>(in.at(0).size()) + latency;
    const Sound padded = joined(in, Sound(in.size(), silence(latency)));
    Sound out(static_cast<std::size_t>(channels_used(graph_, Door::out)), silence(frames));
    for (int from = 0; from < frames; from += block_frames) {
        std::vector<const float*> sources;
        std::vector<float*> sinks;
        for (const Channel& channel : padded) sources.push_back(channel.data() + from);
        for (Channel& channel : out) sinks.push_back(channel.data() + from);
        stream.process(sources.data(), static_cast<int>(sources.size()), sinks.data(),
                       static_cast<int>(sinks.size()), std::min(block_frames, frames - from));
    }
    return cut(out, latency);
}

}  // namespace gainstage::test
