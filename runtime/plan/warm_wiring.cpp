#include "runtime/plan/warm_wiring.hpp"

#include <algorithm>

namespace gainstage {

std::vector<int> params_by_name(const Slot& to, const Slot& from) {
    std::vector<int> indices;
    for (const ParamSpec& spec : to.specs) {
        const auto same = std::find_if(from.specs.begin(), from.specs.end(),
                                       [&](const ParamSpec& other) { return other.name == spec.name; });
        indices.push_back(same == from.specs.end() ? -1 : static_cast<int>(same - from.specs.begin()));
    }
    return indices;
}

namespace {

/// A node of the old patch or of the new one.
struct Origin {
    const Arrangement* patch;
    int node;
};

class WarmWirer {
public:
    WarmWirer(const Arrangement& old, const Arrangement& now, const ArrangeConfig& config)
        : old_(old),
          now_(now),
          config_(config),
          part_of_now_(now.slots.size(), -1),
          part_of_old_(old.slots.size(), -1) {
        for (std::size_t n = 0; n < old.slots.size(); ++n)
            old_of_slot_[old.slots[n].get()] = static_cast<int>(n);
    }

    WarmWiring run(const std::vector<int>& newcomers) {
        for (const int n : newcomers) add_newcomer(n);
        // Parts are added while their sources are found, so this walks a growing list.
        for (std::size_t p = 0; p < origins_.size(); ++p) connect(p);
        const auto limit = static_cast<std::int64_t>(longest_memory_s * config_.sample_rate_hz);
        result_.samples = std::min(result_.samples, limit);
        return std::move(result_);
    }

private:
    int add_newcomer(int n) {
        int& part = part_of_now_[n];
        if (part < 0) part = add({&now_, n}, now_.slots[n]);
        return part;
    }

    /// A node that plays is run as a copy.
    int add_playing(int o) {
        int& part = part_of_old_[o];
        if (part >= 0) return part;
        const Slot& slot = *old_.slots[o];
        auto copy = build_slot(slot.key, slot.description, slot.loop_latency_samples, config_);
        part = add({&old_, o}, std::move(copy));
        return part;
    }

    int add(Origin origin, std::shared_ptr<Slot> slot) {
        result_.samples += warm_samples(*slot, config_.sample_rate_hz);
        result_.slots.push_back(
            {.source = slot->key, .slot = slot.get(), .param_of_source = param_map(*slot)});
        const bool remembers = !shares_history(*slot);
        result_.wiring.parts.push_back({.slot = std::move(slot), .inputs = {}, .remembers = remembers});
        origins_.push_back(origin);
        return static_cast<int>(origins_.size()) - 1;
    }

    bool shares_history(const Slot& slot) const {
        for (const auto& before : old_.slots)
            for (const auto& theirs : before->input_histories)
                for (const auto& mine : slot.input_histories)
                    if (mine && mine == theirs) return true;
        return false;
    }

    std::vector<int> param_map(const Slot& slot) const {
        for (const auto& before : old_.slots)
            if (before->key == slot.key) return params_by_name(*before, slot);
        return {};
    }

    void connect(std::size_t part) {
        const Origin origin = origins_[part];
        for (std::size_t p = 0; p < origin.patch->feeds[origin.node].size(); ++p) {
            Feed warm;
            if (const auto history = heard(origin, p)) {
                warm.push_back(recall(history));
            } else {
                for (const Source& source : origin.patch->feeds[origin.node][p])
                    add_source(warm, *origin.patch, source);
            }
            result_.wiring.parts[part].inputs.push_back({.feed = std::move(warm), .old_feed = {}});
        }
    }

    void add_source(Feed& warm, const Arrangement& patch, const Source& source) {
        const Slot& slot = *patch.slots[source.part];
        const auto plays = old_of_slot_.find(&slot);
        if (plays != old_of_slot_.end() && slot.output_history && source.port == 0)
            warm.push_back(recall(slot.output_history));
        else if (slot.description.input_channels.empty())
            return;  // an input that the edit brings: it has no past, silence stands for it
        else if (plays != old_of_slot_.end())
            warm.push_back({add_playing(plays->second), source.port});
        else
            warm.push_back({add_newcomer(source.part), source.port});
    }

    /// A history of exactly this feed: of the node itself or the one that it replaces, else of anyone who
    /// hears the same cables.
    std::shared_ptr<History> heard(Origin origin, std::size_t port) const {
        const Slot& slot = *origin.patch->slots[origin.node];
        const Feed& feed = origin.patch->feeds[origin.node][port];
        std::shared_ptr<History> found;
        for (std::size_t o = 0; o < old_.slots.size(); ++o)
            for (std::size_t p = 0; p < old_.slots[o]->input_histories.size(); ++p) {
                const auto& history = old_.slots[o]->input_histories[p];
                const bool own = old_.slots[o]->key == slot.key && p == port;
                if (!history || (found && !own)) continue;
                if (history->channels() != slot.description.input_channels[port]) continue;
                if (same_feed(*origin.patch, feed, old_.feeds[o][p])) found = history;
            }
        return found;
    }

    bool same_feed(const Arrangement& patch, const Feed& mine, const Feed& theirs) const {
        return !mine.empty() && std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                                           [&](const Source& a, const Source& b) {
                                               return a.port == b.port &&
                                                      patch.slots[a.part] == old_.slots[b.part];
                                           });
    }

    Source recall(const std::shared_ptr<History>& history) {
        auto& recalls = result_.wiring.recalls;
        const auto found = std::find(recalls.begin(), recalls.end(), history);
        const int index = static_cast<int>(found - recalls.begin());
        if (found == recalls.end()) recalls.push_back(history);
        return {~index, 0};
    }

    const Arrangement& old_;
    const Arrangement& now_;
    const ArrangeConfig& config_;
    WarmWiring result_;
    std::vector<Origin> origins_;                 // per part
    std::vector<int> part_of_now_, part_of_old_;  // per node
    std::unordered_map<const Slot*, int> old_of_slot_;
};

}  // namespace

WarmWiring wire_warming(const Arrangement& old, const Arrangement& now, const std::vector<int>& newcomers,
                        const ArrangeConfig& config) {
    return WarmWirer(old, now, config).run(newcomers);
}

}  // namespace gainstage
