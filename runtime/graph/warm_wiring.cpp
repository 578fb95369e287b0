#include "runtime/graph/warm_wiring.hpp"

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

std::size_t at(int index) {
    return static_cast<std::size_t>(index);
}

class WarmWirer {
public:
    WarmWirer(const Arrangement& old, const Arrangement& now, const ArrangeConfig& config)
        : old_(old), now_(now), config_(config), part_of_(now.slots.size(), -1) {
        for (std::size_t n = 0; n < old.slots.size(); ++n)
            old_of_slot_[old.slots[n].get()] = static_cast<int>(n);
    }

    WarmWiring run(const std::vector<int>& newcomers) {
        for (const int n : newcomers) add(n);
        // Parts are added while their sources are found, so this walks a growing list.
        for (std::size_t p = 0; p < nodes_.size(); ++p) connect(static_cast<int>(p));
        const auto limit = static_cast<std::int64_t>(longest_memory_s * config_.sample_rate_hz);
        result_.samples = std::min(result_.samples, limit);
        return std::move(result_);
    }

private:
    bool survives(int n) const { return old_of_slot_.contains(now_.slots[at(n)].get()); }

    int add(int n) {
        if (part_of_[at(n)] >= 0) return part_of_[at(n)];
        const std::shared_ptr<Slot>& slot = now_.slots[at(n)];
        std::shared_ptr<Slot> runs = slot;
        if (survives(n)) {
            runs = build_slot(slot->key, slot->description, slot->loop_latency_samples, config_);
            runs->input_histories.assign(runs->input_histories.size(), nullptr);
        }
        result_.wiring.parts.push_back({.slot = runs, .inputs = {}, .remembers = !shares_history(*slot)});
        result_.samples += warm_samples(*runs, config_.sample_rate_hz);
        result_.slots.push_back(
            {.source = slot->key, .slot = runs.get(), .param_of_source = param_map(*runs)});
        nodes_.push_back(n);
        part_of_[at(n)] = static_cast<int>(nodes_.size()) - 1;
        return part_of_[at(n)];
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

    void connect(int part) {
        const int n = nodes_[at(part)];
        for (std::size_t p = 0; p < now_.feeds[at(n)].size(); ++p) {
            const Feed& feed = now_.feeds[at(n)][p];
            Feed warm;
            if (const auto history = heard(n, p)) {
                warm.push_back(recall(history));
            } else {
                for (const Source& source : feed) add_source(warm, source);
            }
            result_.wiring.parts[at(part)].inputs.push_back({.feed = std::move(warm), .old_feed = {}});
        }
    }

    void add_source(Feed& warm, const Source& source) {
        const Slot& slot = *now_.slots[at(source.part)];
        if (survives(source.part) && slot.output_history && source.port == 0)
            warm.push_back(recall(slot.output_history));
        else if (!slot.description.input_channels.empty())
            warm.push_back({add(source.part), source.port});
        // else: an input that the edit brings; it has no past, silence stands for it
    }

    /// A history of exactly this feed: of the node that is replaced, else of anyone who hears the same
    /// cables.
    std::shared_ptr<History> heard(int n, std::size_t port) const {
        const NodeKey key = now_.slots[at(n)]->key;
        std::shared_ptr<History> found;
        for (std::size_t o = 0; o < old_.slots.size(); ++o)
            for (std::size_t p = 0; p < old_.slots[o]->input_histories.size(); ++p) {
                const auto& history = old_.slots[o]->input_histories[p];
                const bool replaced = old_.slots[o]->key == key && p == port;
                if (!history || (found && !replaced)) continue;
                if (history->channels() != now_.slots[at(n)]->description.input_channels[port]) continue;
                if (same_feed(now_.feeds[at(n)][port], old_.feeds[o][p])) found = history;
            }
        return found;
    }

    bool same_feed(const Feed& mine, const Feed& theirs) const {
        return !mine.empty() && std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                                           [&](const Source& a, const Source& b) {
                                               return a.port == b.port &&
                                                      now_.slots[at(a.part)] == old_.slots[at(b.part)];
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
    std::vector<int> nodes_;    // per part: index in now_
    std::vector<int> part_of_;  // per node of now_
    std::unordered_map<const Slot*, int> old_of_slot_;
};

}  // namespace

WarmWiring wire_warming(const Arrangement& old, const Arrangement& now, const std::vector<int>& newcomers,
                        const ArrangeConfig& config) {
    return WarmWirer(old, now, config).run(newcomers);
}

}  // namespace gainstage
