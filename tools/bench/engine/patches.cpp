#include "tools/bench/engine/patches.hpp"

#include <fmt/format.h>

#include "nodes/all_nodes.hpp"
#include "runtime/patch/read_patch.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

std::string chain_patch(int nodes, const std::string& extra_link) {
    std::string text = "format = 1\nlinks = [\"in -> g0\"";
    for (int n = 1; n < nodes; ++n) text += fmt::format(",\n\"g{} -> g{}\"", n - 1, n);
    text += fmt::format(
        ",\n\"g{} -> out\"{}]\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = "
        "\"output\"\nchannels = [1]\n",
        nodes - 1, extra_link);
    for (int n = 0; n < nodes; ++n)
        text += fmt::format("[nodes.g{}]\ntype = \"gain\"\ngain_db = {}\n", n, n % 2 ? 0.1 : -0.1);
    return text;
}

std::string model_patch(const std::string& model, const std::string& type) {
    return fmt::format(
        "format = 1\nlinks = [\"in -> box -> out\"]\n[nodes.in]\ntype = \"input\"\nchannels = "
        "[1]\n[nodes.out]\n"
        "type = \"output\"\nchannels = [1]\n[nodes.box]\ntype = \"{}\"\nmodel = \"{}\"\n",
        type, model);
}

std::string branches_patch(const std::string& model, int branches, int nodes) {
    std::string links, text;
    for (int b = 0; b < branches; ++b) {
        links += fmt::format("{}\"in", b ? ", " : "");
        for (int n = 0; n < nodes; ++n) {
            links += fmt::format(" -> b{}n{}", b, n);
            text += fmt::format("[nodes.b{}n{}]\ntype = \"grey_box\"\nmodel = \"{}\"\n", b, n, model);
        }
        links += " -> bus\"";
    }
    return "format = 1\nlinks = [" + links +
           ", \"bus -> out\"]\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = "
           "\"output\"\nchannels = [1]\n[nodes.bus]\ntype = \"gain\"\ngain_db = -6.0\n" +
           text;
}

Graph graph_of(const std::string& text) {
    const ReadPatch read = read_patch_text(text, "bench.toml", ".");
    Resolved resolved = resolve(read.patch, all_nodes(), read_model_file, 48'000.);
    for (const Problem& problem : resolved.problems) say("{}", problem.text());
    return std::move(resolved.graph.value());
}

}  // namespace gainstage
