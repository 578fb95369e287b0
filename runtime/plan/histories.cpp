#include "runtime/plan/histories.hpp"

#include <cmath>

namespace gainstage {

namespace {

class HistoryGiver {
public:
    HistoryGiver(Arrangement& now, const Arrangement* previous, double rate_hz)
        : now_(now), previous_(previous), rate_hz_(rate_hz) {}

    void run() {
        for (int n = 0; n < static_cast<int>(now_.slots.size()); ++n) {
            Slot& slot = *now_.slots[n];
            const int before = previous_ ? previous_->node_of(slot.key) : -1;
            if (before >= 0 && previous_->slots[before] == now_.slots[n]) continue;  // it lives on
            const GraphNode& node = slot.description;
            if (!node.type->architecture.empty()) record_inputs(n, before);
            if (node.type->inputs.empty() && !node.output_channels.empty())
                slot.output_history = std::make_shared<History>(node.output_channels[0], longest_samples());
        }
    }

private:
    void record_inputs(int n, int before) {
        Slot& slot = *now_.slots[n];
        const auto samples = warm_samples(slot, rate_hz_) + catch_up_samples();
        for (int p = 0; p < now_.feeds.ports(n); ++p) {
            const int channels = slot.description.input_channels[p];
            if (channels == 0) continue;
            auto& history = slot.input_histories[p];
            if (before >= 0) history = predecessors_history(n, p, before, channels, samples);
            if (!history) history = std::make_shared<History>(channels, samples);
        }
    }

    std::shared_ptr<History> predecessors_history(int n, int port, int before, int channels,
                                                  std::int64_t samples) const {
        const Slot& theirs = *previous_->slots[before];
        if (port >= static_cast<int>(theirs.input_histories.size())) return nullptr;
        const auto& history = theirs.input_histories[port];
        const bool fits = history && history->channels() == channels && history->keeps() >= samples;
        return fits && hears_the_same(n, port, before) ? history : nullptr;
    }

    /// The same instances in the same order: the port hears now what it heard before.
    bool hears_the_same(int n, int port, int before) const {
        const Feed mine = now_.feeds.feed(n, port), theirs = previous_->feeds.feed(before, port);
        return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                          [&](const Source& a, const Source& b) {
                              return a.port == b.port && now_.slots[a.part] == previous_->slots[b.part];
                          });
    }

    /// The stream goes on while a newcomer catches up; it must not overwrite what the newcomer has still to
    /// hear.
    std::int64_t catch_up_samples() const { return std::llround(4. * rate_hz_); }
    std::int64_t longest_samples() const {
        return std::llround(longest_memory_s * rate_hz_) + catch_up_samples();
    }

    Arrangement& now_;
    const Arrangement* previous_;
    const double rate_hz_;
};

}  // namespace

void give_histories(Arrangement& now, const Arrangement* previous, double rate_hz) {
    HistoryGiver(now, previous, rate_hz).run();
}

}  // namespace gainstage
