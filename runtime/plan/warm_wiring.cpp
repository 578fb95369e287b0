#include "runtime/plan/warm_wiring.hpp"

#include <algorithm>
#include <unordered_map>

#include "runtime/plan/change.hpp"

namespace gainstage {

namespace {

/// An input of an old node whose past is recorded.
struct Recorded {
    int node, port;
    std::shared_ptr<History> history;
};

class WarmWirer {
public:
    WarmWirer(const Arrangement& old, const Arrangement& now, const ArrangeConfig& config)
        : old_(old),
          now_(now),
          config_(config),
          part_of_now_(now.slots.size(), -1),
          part_of_old_(old.slots.size(), -1) {
        for (int o = 0; o < static_cast<int>(old.slots.size()); ++o)
            for (int p = 0; p < static_cast<int>(old.slots[o]->input_histories.size()); ++p)
                if (const auto& history = old.slots[o]->input_histories[p])
                    recorded_.push_back({o, p, history});
    }

    WarmWiring run(const std::vector<int>& newcomers) {
        for (const int n : newcomers) add_newcomer(n);
        // Parts are added while their sources are found, so this walks a growing list.
        for (std::size_t part = 0; part < result_.slots.size(); ++part) connect(part);
        const auto limit = static_cast<std::int64_t>(longest_memory_s * config_.sample_rate_hz);
        result_.samples = std::min(result_.samples, limit);
        return std::move(result_);
    }

private:
    /// A node of the old patch or of the new one.
    struct Origin {
        const Arrangement& patch;
        int node;
    };
    Origin origin_of(std::size_t part) const {
        if (result_.node_of_now[part] >= 0) return {now_, result_.node_of_now[part]};
        return {old_, result_.node_of_old[part]};
    }

    /// The node of the old patch that this slot plays; -1: none.
    int playing(const Slot& slot) const {
        const int node = old_.node_of(slot.key);
        return node >= 0 && old_.slots[node].get() == &slot ? node : -1;
    }

    int add_newcomer(int n) {
        int& part = part_of_now_[n];
        if (part < 0) part = add(n, -1, now_.slots[n]);
        return part;
    }

    /// A node that already plays runs as a copy.
    int add_playing(int o) {
        int& part = part_of_old_[o];
        if (part >= 0) return part;
        const Slot& slot = *old_.slots[o];
        auto copy = build_slot(slot.key, slot.shared_description, slot.loop_latency_samples, old_.graph.file,
                               config_);
        part = add(-1, o, std::move(copy));
        return part;
    }

    int add(int node_of_now, int node_of_old, std::shared_ptr<Slot> slot) {
        result_.samples += warm_samples(*slot, config_.sample_rate_hz);
        result_.slots.push_back(
            {.source = slot->key, .slot = slot.get(), .param_of_source = param_map(*slot)});
        result_.node_of_now.push_back(node_of_now);
        result_.node_of_old.push_back(node_of_old);
        result_.wiring.remembers.push_back(!shares_history(*slot));
        result_.wiring.slots.push_back(std::move(slot));
        return static_cast<int>(result_.slots.size()) - 1;
    }

    bool shares_history(const Slot& slot) const {
        for (const auto& mine : slot.input_histories)
            if (mine && std::any_of(recorded_.begin(), recorded_.end(),
                                    [&](const Recorded& theirs) { return theirs.history == mine; }))
                return true;
        return false;
    }

    std::vector<int> param_map(const Slot& slot) const {
        const int before = old_.node_of(slot.key);
        return before < 0 ? std::vector<int>{} : params_by_name(*old_.slots[before], slot);
    }

    void connect(std::size_t part) {
        const Origin origin = origin_of(part);
        std::vector<std::vector<Source>>
            inputs;  // adding sources may add parts, so the feeds are written after
        for (int p = 0; p < origin.patch.feeds.ports(origin.node); ++p) {
            std::vector<Source> warm;
            if (const auto history = heard(origin, p))
                warm.push_back(recall(history));
            else
                for (const Source& source : origin.patch.feeds.feed(origin.node, p))
                    add_source(warm, origin.patch, source);
            inputs.push_back(std::move(warm));
        }
        result_.wiring.feeds.add_part();
        for (const auto& warm : inputs) result_.wiring.feeds.add_port(warm);
    }

    void add_source(std::vector<Source>& warm, const Arrangement& patch, const Source& source) {
        const Slot& slot = *patch.slots[source.part];
        const int plays = playing(slot);
        if (slot.description.type->device == Door::in) hear_device(slot);
        if (plays >= 0)
            warm.push_back({add_playing(plays), source.port});
        else
            warm.push_back({add_newcomer(source.part), source.port});
    }

    /// A way in plays the recalled device. A channel that was not read before has no past: silence.
    void hear_device(const Slot& slot) {
        DevicePast& past = result_.device_past;
        for (const int channel : slot.description.options.get<std::vector<int>>("channels")) {
            const auto index = static_cast<std::size_t>(channel) - 1;
            if (index >= old_.device_past.size()) continue;
            if (past.size() <= index) past.resize(index + 1);
            past[index] = old_.device_past[index];
        }
    }

    /// A history of exactly this feed: that of the node itself or of the one that it replaces, else that of
    /// any node that hears the same cables.
    std::shared_ptr<History> heard(const Origin& origin, int port) const {
        const Slot& slot = *origin.patch.slots[origin.node];
        const Feed feed = origin.patch.feeds.feed(origin.node, port);
        std::shared_ptr<History> found;
        for (const Recorded& theirs : recorded_) {
            const bool own = old_.slots[theirs.node]->key == slot.key && theirs.port == port;
            if (found && !own) continue;
            if (theirs.history->channels() != slot.description.input_channels[port]) continue;
            if (hears_the_same(origin.patch, feed, old_.feeds.feed(theirs.node, theirs.port)))
                found = theirs.history;
        }
        return found;
    }

    bool hears_the_same(const Arrangement& patch, Feed mine, Feed theirs) const {
        return !mine.empty() && std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                                           [&](const Source& a, const Source& b) {
                                               return a.port == b.port &&
                                                      patch.slots[a.part] == old_.slots[b.part];
                                           });
    }

    Source recall(const std::shared_ptr<History>& history) {
        auto& recalls = result_.wiring.recalls;
        const auto [known, is_new] = recall_of_.try_emplace(history.get(), static_cast<int>(recalls.size()));
        if (is_new) recalls.push_back(history);
        return {~known->second, 0};
    }

    const Arrangement& old_;
    const Arrangement& now_;
    const ArrangeConfig& config_;
    WarmWiring result_;
    std::vector<int> part_of_now_, part_of_old_;  // per node
    std::vector<Recorded> recorded_;
    std::unordered_map<const History*, int> recall_of_;
};

}  // namespace

WarmWiring wire_warming(const Arrangement& old, const Arrangement& now, const std::vector<int>& newcomers,
                        const ArrangeConfig& config) {
    return WarmWirer(old, now, config).run(newcomers);
}

}  // namespace gainstage
