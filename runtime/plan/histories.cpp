#include "runtime/plan/histories.hpp"
#include "runtime/sysexits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gainstage {

namespace {

class HistoryGiver {
public:
    HistoryGiver(Arrangement& now, const Arrangement* previous, const ArrangeConfig& config)
        : now_(now), previous_(previous), config_(config) {}

    void run() {
        keep_device();
        for (int n = 0; n < static_cast<int>(now_.slots.size()) && fits(); ++n) {
            const Slot& slot = *now_.slots[n];
            if (!slot.description.type->architecture.empty()) keep_inputs(n);
        }
        if (!fits()) now_.problems.push_back(too_large(now_, config_.most_bytes));
    }

private:
    bool fits() const { return config_.most_bytes == 0 || now_.memory.total() <= config_.most_bytes; }

    // the device

    void keep_device() {
        const std::int64_t samples = device_samples();
        for (const GraphNode& node : now_.graph.nodes) {
            if (node.type->device != Door::in) continue;
            for (const int channel : node.options.get<std::vector<int>>("channels"))
                if (fits()) keep_channel(static_cast<std::size_t>(channel) - 1, samples);
        }
    }

    void keep_channel(std::size_t channel, std::int64_t samples) {
        if (is_counted_.size() <= channel) is_counted_.resize(channel + 1, false);
        if (is_counted_[channel]) return;
        is_counted_[channel] = true;
        std::shared_ptr<History> past = previous_past(channel);
        if (past && past->keeps() < samples) past = nullptr;
        now_.memory.add("past of device channels", past ? past->bytes() : History::bytes_of(1, samples));
        if (!config_.with_histories || !fits()) return;
        if (now_.device_past.size() <= channel) now_.device_past.resize(channel + 1);
        now_.device_past[channel] = past ? std::move(past) : std::make_shared<History>(1, samples);
    }

    std::shared_ptr<History> previous_past(std::size_t channel) const {
        return previous_ && channel < previous_->device_past.size() ? previous_->device_past[channel]
                                                                    : nullptr;
    }

    /// As much as all nodes together would be warmed on, and enough for what an edit may bring.
    std::int64_t device_samples() const {
        std::int64_t samples = 0;
        for (const auto& slot : now_.slots) samples += warm_samples(*slot, config_.sample_rate_hz);
        return std::clamp(samples, seconds(least_device_s), seconds(longest_memory_s)) + catch_up_samples();
    }

    // nodes with models

    void keep_inputs(int n) {
        Slot& slot = *now_.slots[n];
        const int before = previous_ ? previous_->node_of(slot.key) : -1;
        const bool lives_on = before >= 0 && previous_->slots[before] == now_.slots[n];
        const auto samples = warm_samples(slot, config_.sample_rate_hz) + catch_up_samples();
        for (int p = 0; p < now_.feeds.ports(n); ++p) {
            const int channels = slot.description.input_channels[p];
            if (channels == 0) continue;
            auto& history = slot.input_histories[p];
            now_.memory.add("past of nodes with models",
                            history ? history->bytes() : History::bytes_of(channels, samples));
            if (lives_on || !config_.with_histories || !fits()) continue;
            if (before >= 0) history = predecessors_history(n, p, before, channels, samples);
            if (!history) history = std::make_shared<History>(channels, samples);
        }
    }

    std::shared_ptr<History> predecessors_history(int n, int port, int before, int channels,
                                                  std::int64_t samples) const {
        const Slot& theirs = *previous_->slots[before];
        if (port >= static_cast<int>(theirs.input_histories.size())) return nullptr;
        const auto& history = theirs.input_histories[port];
        const bool is_enough = history && history->channels() == channels && history->keeps() >= samples;
        return is_enough && hears_the_same(n, port, before) ? history : nullptr;
    }

    /// The same instances in the same order: the port hears now what it heard before.
    bool hears_the_same(int n, int port, int before) const {
        const Feed mine = now_.feeds.feed(n, port), theirs = previous_->feeds.feed(before, port);
        return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                          [&](const Source& a, const Source& b) {
                              return a.port == b.port && now_.slots[a.part] == previous_->slots[b.part];
                          });
    }

    std::int64_t seconds(double s) const { return std::llround(s * config_.sample_rate_hz); }
    /// The stream goes on while a newcomer catches up; it must not overwrite what the newcomer has still to
    /// hear.
    std::int64_t catch_up_samples() const { return seconds(4.); }

    static constexpr double least_device_s = 4.;

    Arrangement& now_;
    const Arrangement* previous_;
    const ArrangeConfig& config_;
    std::vector<bool> is_counted_;  // per device channel
};

}  // namespace

void give_histories(Arrangement& now, const Arrangement* previous, const ArrangeConfig& config) {
    HistoryGiver(now, previous, config).run();
}

Problem too_large(const Arrangement& arrangement, std::size_t most_bytes) {
    return {.file = arrangement.graph.file,
            .place = {},
            .key = {},
            .message =
                fmt::format("takes more memory than {}; what takes most: {}. Leave some of it out, or allow "
                            "more by --memory (half of the machine's if it is not given)",
                            memory_text(most_bytes), memory_text(arrangement.memory)),
            .exit_code = sysexits::environment};
}

}  // namespace gainstage
