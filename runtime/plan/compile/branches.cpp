#include "runtime/plan/compile/branches.hpp"

#include <algorithm>
#include <functional>

#include "runtime/model/model.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

namespace {

using ChainSet = std::uint64_t;
constexpr int max_chains = 64;  ///< dear ones that are compared with each other
constexpr int none = -1;

class BranchFinder {
public:
    BranchFinder(const std::vector<Unit>& units, double least_ns)
        : units_(units), least_ns_(least_ns), chain_of_(units.size()), level_of_(units.size(), 0) {}

    Branches run() {
        find_chains();
        choose_dear_ones();
        drop_those_without_another_beside();
        if (chosen_.empty()) return {};
        for (;;) {
            find_levels();
            if (fits()) break;
            drop_the_last_level();
        }
        if (chosen_.empty()) return {};
        Branches result;
        result.second_ns = chains_[*std::min_element(chosen_.begin(), chosen_.end(), dearer_last())].ns;
        make_branches(result);
        return result;
    }

private:
    struct Chain {
        std::vector<int> units;
        double ns = 0.;
        bool stays = false;
        int number = none;  // among the dear ones
    };

    std::function<bool(int, int)> dearer_last() const {
        return [this](int a, int b) { return chains_[a].ns < chains_[b].ns; };
    }
    bool is_chosen(int chain) const {
        return std::find(chosen_.begin(), chosen_.end(), chain) != chosen_.end();
    }

    static std::vector<int> unique(std::vector<int> list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
        return list;
    }

    void find_chains() {
        std::vector<int> consumers(units_.size(), 0);
        for (const Unit& unit : units_) {
            sources_.push_back(unique(unit.sources));
            for (const int source : sources_.back()) ++consumers[source];
        }
        for (int u = 0; u < static_cast<int>(units_.size()); ++u) {
            const std::vector<int>& from = sources_[u];
            const bool goes_on = from.size() == 1 && consumers[from.front()] == 1 && !units_[u].stays &&
                                 !units_[from.front()].stays;
            if (!goes_on) chains_.emplace_back();
            chain_of_[u] = goes_on ? chain_of_[from.front()] : static_cast<int>(chains_.size()) - 1;
            Chain& chain = chains_[chain_of_[u]];
            chain.units.push_back(u);
            chain.ns += units_[u].ns;
            chain.stays = units_[u].stays;
        }
    }

    void choose_dear_ones() {
        for (int c = 0; c < static_cast<int>(chains_.size()); ++c)
            if (!chains_[c].stays && chains_[c].ns >= least_ns_) chosen_.push_back(c);
        std::stable_sort(chosen_.begin(), chosen_.end(),
                         [&](int a, int b) { return chains_[a].ns > chains_[b].ns; });
        if (chosen_.size() > max_chains) chosen_.resize(max_chains);
        for (std::size_t i = 0; i < chosen_.size(); ++i) chains_[chosen_[i]].number = static_cast<int>(i);
    }

    void drop_those_without_another_beside() {
        std::vector<ChainSet> upstream(units_.size(), 0);
        std::vector<ChainSet> before(chosen_.size(), 0);
        for (std::size_t u = 0; u < units_.size(); ++u) {
            for (const int source : sources_[u]) upstream[u] |= upstream[source];
            const Chain& chain = chains_[chain_of_[u]];
            if (chain.number == none) continue;
            if (chain.units.front() == static_cast<int>(u)) before[chain.number] = upstream[u];
            upstream[u] |= ChainSet{1} << chain.number;
        }
        const auto beside = [&](std::size_t a, std::size_t b) {
            return a != b && !(before[a] >> b & 1) && !(before[b] >> a & 1);
        };
        std::vector<int> kept;
        for (std::size_t a = 0; a < chosen_.size(); ++a)
            for (std::size_t b = 0; b < chosen_.size(); ++b)
                if (beside(a, b)) {
                    kept.push_back(chosen_[a]);
                    break;
                }
        chosen_ = kept;
    }

    /// How many branches, one after the other, come before a unit.
    void find_levels() {
        levels_ = 0;
        std::vector<bool> chosen(chains_.size(), false);
        for (const int c : chosen_) chosen[c] = true;
        for (std::size_t u = 0; u < units_.size(); ++u) {
            int& level = level_of_[u] = 0;
            for (const int source : sources_[u]) {
                const int theirs = chain_of_[source];
                const bool leaves = chosen[theirs] && theirs != chain_of_[u];
                level = std::max(level, level_of_[source] + (leaves ? 1 : 0));
            }
            levels_ = std::max(levels_, level + 1);
        }
    }

    int level_of_chain(int chain) const { return level_of_[chains_[chain].units.front()]; }

    int count_at(int level) const {
        return static_cast<int>(
            std::count_if(chosen_.begin(), chosen_.end(), [&](int c) { return level_of_chain(c) == level; }));
    }

    /// Every level has one part for the audio thread, and as many branches as there is room for.
    bool fits() {
        for (most_at_once_ = 8; most_at_once_ >= 2; --most_at_once_) {
            int total = 0;
            for (int level = 0; level < levels_; ++level)
                total += 1 + std::min(count_at(level), most_at_once_);
            if (total <= max_tasks) return true;
        }
        return false;
    }

    void drop_the_last_level() {
        int last = 0;
        for (const int c : chosen_) last = std::max(last, level_of_chain(c));
        std::erase_if(chosen_, [&](int c) { return level_of_chain(c) == last; });
    }

    void make_branches(Branches& result) {
        branch_of_.assign(units_.size(), none);
        for (int level = 0; level < levels_; ++level) {
            Branch own;
            for (int u = 0; u < static_cast<int>(units_.size()); ++u)
                if (level_of_[u] == level && !is_chosen(chain_of_[u])) own.units.push_back(u);
            if (!own.units.empty()) add(result, std::move(own));
            for (Branch& branch : branches_at(level)) add(result, std::move(branch));
        }
    }

    /// The dearest first; where there are too many, the cheapest share a branch.
    std::vector<Branch> branches_at(int level) const {
        std::vector<std::vector<int>> units;
        for (const int c : chosen_)  // dearest first
            if (level_of_chain(c) == level) units.push_back(chains_[c].units);
        std::vector<Branch> branches;
        const auto most = static_cast<std::size_t>(most_at_once_);
        for (std::size_t i = 0; i < units.size(); ++i) {
            if (i < most) branches.push_back({.units = {}, .needs = 0, .anyone = true});
            std::vector<int>& into = branches[i < most ? i : most - 1 - i % most].units;
            into.insert(into.end(), units[i].begin(), units[i].end());
        }
        for (Branch& branch : branches) std::sort(branch.units.begin(), branch.units.end());
        return branches;
    }

    void add(Branches& result, Branch branch) {
        const int number = static_cast<int>(result.list.size());
        for (const int u : branch.units) branch_of_[u] = number;
        for (const int u : branch.units)
            for (const int source : sources_[u])
                if (branch_of_[source] != number) branch.needs |= task_bit(branch_of_[source]);
        result.list.push_back(std::move(branch));
    }

    const std::vector<Unit>& units_;
    const double least_ns_;
    std::vector<std::vector<int>> sources_;
    std::vector<Chain> chains_;
    std::vector<int> chain_of_, level_of_, branch_of_;
    std::vector<int> chosen_;  // chains that become branches, the dearest first
    int levels_ = 0, most_at_once_ = 8;
};

}  // namespace

Branches find_branches(const std::vector<Unit>& units, double least_ns) {
    return BranchFinder(units, least_ns).run();
}

double cost_ns(const Slot& slot) {
    constexpr double ample_frames = 1'000.;
    const auto frames = static_cast<double>(slot.timed_frames.load(std::memory_order_relaxed));
    if (frames >= ample_frames)
        return static_cast<double>(slot.timed_ticks.load(std::memory_order_relaxed)) / frames * 1e9 /
               ticks_per_second();
    constexpr double plain_ns = 1., model_ns = 40., weight_ns = 0.025;  // recurrent and dense ones, roughly
    if (!slot.description.model) return plain_ns;
    double weights = 0.;
    for (const Tensor& tensor : slot.description.model->tensors)
        weights += static_cast<double>(tensor.data.size());
    return model_ns + weight_ns * weights;
}

}  // namespace gainstage
