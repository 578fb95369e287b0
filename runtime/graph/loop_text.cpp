#include "runtime/graph/loop_text.hpp"

#include "runtime/problem_list.hpp"

namespace gainstage {

std::string loop_text(const Graph& graph, std::span<const int> nodes) {
    constexpr std::size_t most_named = 12;
    const std::size_t count = nodes.size();
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        if (count > most_named && i == most_named / 2) {
            text += "... -> ";
            i = count - most_named / 2;
        }
        text += shown(graph.nodes[nodes[i]].id) + " -> ";
    }
    return text + shown(graph.nodes[nodes.front()].id);
}

}  // namespace gainstage
