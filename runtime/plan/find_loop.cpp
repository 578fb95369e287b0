#include "runtime/plan/find_loop.hpp"

#include <algorithm>

namespace gainstage {

std::vector<int> find_loop(const Arrangement& arrangement, int node) {
    // Breadth first, from each node to those that feed it. `heard_by` leads back the way the sound takes.
    std::vector<int> heard_by(arrangement.slots.size(), -1), to_visit{node};
    for (std::size_t at = 0; at < to_visit.size() && heard_by[node] < 0; ++at)
        for (const Source& source : arrangement.feeds.all_of(to_visit[at]))
            if (heard_by[source.part] < 0) {
                heard_by[source.part] = to_visit[at];
                to_visit.push_back(source.part);
            }
    if (heard_by[node] < 0) return {};
    std::vector<int> loop{node};
    for (int next = heard_by[node]; next != node; next = heard_by[next]) loop.push_back(next);
    std::erase_if(loop, [&](int n) { return arrangement.graph.nodes[n].id.front() == '~'; });
    const auto breaker =
        std::find_if(loop.begin(), loop.end(), [&](int n) { return arrangement.slots[n]->breaker; });
    std::rotate(loop.begin(), breaker, loop.end());
    return loop;
}

}  // namespace gainstage
