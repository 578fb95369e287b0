// Cables, widths, loops and outputs.

#include "tests/runtime/resolve/resolve_rig.hpp"

namespace gainstage::test::resolve_links_test {
namespace {

/// links in line 2, then the nodes, an input and an output.
std::string wired(const std::string& links, const std::string& nodes, const std::string& in = mono_in) {
    return "links = [" + links + "]\n" + nodes + in + stereo_out;
}

TEST_CASE("links: an end that does not exist is reported with the nearest name") {
    CHECK(complaints(wired("\"in -> trm -> out\"", node("trim", "gain")))
              .find("p.toml:2:17: links: there is no node \"trm\"; did you mean \"trim\"? (nodes: trim, in, "
                    "out)\n") == 0);
    // Once, though it is the end of one cable and the beginning of another.
    const std::string twice_wrong = complaints(wired("\"in -> trm -> out\"", node("trim", "gain")));
    CHECK(twice_wrong.find("there is no node") == twice_wrong.rfind("there is no node"));
    CHECK(complaints(wired("\"in -> x.sidechian\", \"in -> x -> out\"", node("x", "comp"))) ==
          "p.toml:2:17: links: \"x\" (type \"comp\") has no input \"sidechian\"; did you mean \"sidechain\"? "
          "(inputs: "
          "in, sidechain)\n");
    CHECK(complaints(wired("\"in -> x\", \"x.otu -> out\"", node("x", "gain"))) ==
          "p.toml:2:22: links: \"x\" (type \"gain\") has no output \"otu\"; did you mean \"out\"? (outputs: "
          "out)\n");
    CHECK(complaints(wired("\"in -> x.left -> out\"", node("x", "switcher")))
              .find("; to take a cable from the output \"left\", begin a new chain: \"x.left -> ...\"\n") !=
          std::string::npos);
    CHECK(complaints(wired("\"in -> out\", \"out -> x\", \"x -> out\"", node("x", "gain"))) ==
          "p.toml:2:24: links: \"out\" has no outputs (type \"output\")\n");
    CHECK(complaints(wired("\"in -> out\", \"in -> x -> in\"", node("x", "gain"))) ==
          "p.toml:2:35: links: \"in\" has no inputs (type \"input\")\n");
}

TEST_CASE("links: the same cable twice is an error; several cables into one port are summed") {
    CHECK(complaints(wired("\"in -> x -> out\", \"in.out -> x.in\"", node("x", "gain"))) ==
          "p.toml:2:29: links: the cable \"in -> x\" is there already (line 2); take one out\n");
    CHECK(graph(wired("\"in -> x -> out\", \"in -> out\"", node("x", "gain"))).links.size() == 3);
}

TEST_CASE("links: several cables that name a mixer alone are noted, with the inputs that were meant") {
    const auto notes = [](const std::string& links) {
        return lines(resolved(wired(links, node("m", "mix") + node("x", "gain"))).problems);
    };
    CHECK(notes("\"in -> m -> out\", \"in -> x -> m\"") ==
          "note: p.toml:2:40: links: 2 cables enter \"m\" without a port, so all of them enter its first "
          "input, "
          "\"in1\"; did you mean m.in1, m.in2?\n");
    CHECK(notes("\"in -> m -> out\", \"in -> x -> m.in2\"").empty());
    CHECK(notes("\"in -> x -> out\", \"in -> m -> x\"").empty());  // sums at the one input of a gain
}

TEST_CASE("links: an input without a cable is an error unless it is optional; an unheard node gives a note") {
    CHECK(complaints(wired("\"in -> out\", \"x -> out\"", node("x", "comp"))) ==
          "p.toml:3:8: nodes.x: no cable enters its input \"in\"; add \"... -> x.in\" to links\n");
    const Resolved result = resolved(wired("\"in -> out\", \"in -> x\"", node("x", "comp")));
    CHECK(lines(result.problems) ==
          "note: p.toml:3:8: nodes.x: no cable leaves it, so that nobody hears it; add \"x -> ...\" to "
          "links\n");
    CHECK(result.graph);
}

TEST_CASE("widths: a cable is as wide as its source, a node as wide as its widest cable") {
    const Graph g =
        graph(wired("\"in -> wide -> p -> x -> out\", \"in -> x.sidechain\", \"in -> y -> out\"",
                    node("wide", "gain") + node("p", "pan") + node("x", "comp") + node("y", "gain")));
    const auto at = [&](const char* id) { return g.nodes[g.node_index(id)]; };
    CHECK(at("in").output_channels == std::vector<int>{1});
    CHECK(at("wide").channels == 1);
    CHECK(at("p").input_channels == std::vector<int>{1});
    CHECK(at("p").output_channels == std::vector<int>{2});
    CHECK(at("x").channels == 2);
    CHECK(at("x").input_channels == std::vector<int>{2, 1});  // a mono key with a stereo programme
    CHECK(at("y").channels == 1);
    CHECK(at("out").input_channels == std::vector<int>{2});
}

TEST_CASE("widths: an input without a cable has no channels") {
    CHECK(graph(wired("\"in -> x -> out\"", node("x", "comp"))).nodes[0].input_channels ==
          std::vector<int>{1, 0});
}

TEST_CASE("widths: a mono cable beside a stereo one is widened") {
    const Graph g =
        graph(wired("\"in -> x -> out\", \"in -> p -> x\"", node("x", "gain") + node("p", "pan")));
    CHECK(g.nodes[0].channels == 2);
    CHECK(g.nodes[0].input_channels == std::vector<int>{2});
}

TEST_CASE("widths: they spread through loops") {
    // The loop comes before the node that makes it stereo.
    const Graph g =
        graph(wired("\"b -> c -> d -> b\", \"in -> p -> d\", \"c -> out\"",
                    node("b", "delay") + node("c", "gain") + node("d", "gain") + node("p", "pan")));
    for (int i = 0; i < 3; ++i) CHECK(g.nodes[i].channels == 2);
}

TEST_CASE("widths: mix follows its widest cable, or the number it was given") {
    const auto out_of_mix = [](const std::string& channels) {
        const Graph g = graph(wired("\"in -> m.in1\", \"in -> p -> m.in2\", \"m -> out\"",
                                    node("m", "mix", channels) + node("p", "pan")));
        return g.nodes[0].output_channels.at(0);
    };
    CHECK(out_of_mix("") == 2);
    CHECK(out_of_mix("channels = 1\n") == 1);
    CHECK(graph(wired("\"in -> m -> out\"", node("m", "mix"))).nodes[0].output_channels.at(0) == 1);
    CHECK(graph(wired("\"in -> m -> out\"", node("m", "mix", "channels = 2\n")))
              .nodes[0]
              .output_channels.at(0) == 2);
}

TEST_CASE("widths: stereo into a mono port is an error, and mix is the remedy") {
    const std::string remedy =
        "takes one channel; fold it to mono with a node of type \"mix\" and channels = 1 in this cable\n";
    CHECK(complaints(wired("\"in -> x -> out\"", node("x", "mono"), stereo_in)) ==
          "p.toml:2:11: links: \"in\" is stereo but \"x\" " + remedy);
    CHECK(complaints("links = [\"in -> out\"]\n" + stereo_in + node("out", "output", "channels = [1]\n")) ==
          "p.toml:2:11: links: \"in\" is stereo but \"out\" " + remedy);
    CHECK(complaints(wired("\"in -> m -> x -> out\"", node("x", "mono") + node("m", "mix", "channels = 1\n"),
                           stereo_in)) == "");
}

TEST_CASE("loops: for one without a delay the error names the cable that leads back and suggests the delay") {
    CHECK(complaints(wired("\"in -> a -> b -> out\", \"b -> fb -> a\"",
                           node("fb", "gain") + node("a", "gain") + node("b", "comp"))) ==
          "p.toml:2:39: links: the loop a -> b -> fb -> a has no delay; put a node of type \"delay\" "
          "(delay_samples = 1 "
          "up) into its cable \"fb -> a\"\n");
    CHECK(complaints(wired("\"in -> a -> a\", \"a -> out\"", node("a", "gain"))) ==
          "p.toml:2:17: links: the loop a -> a has no delay; put a node of type \"delay\" (delay_samples = 1 "
          "up) into "
          "its cable \"a -> a\"\n");
    CHECK(complaints(
              wired("\"in -> a -> b -> out\", \"b -> a.sidechain\"", node("a", "comp") + node("b", "gain")))
              .find("into its cable \"b -> a.sidechain\"\n") != std::string::npos);
    CHECK(complaints(wired("\"in -> a -> b -> out\", \"b -> d -> a\"",
                           node("d", "delay") + node("a", "gain") + node("b", "comp"))) == "");
}

TEST_CASE("loops: each of several is reported, whether it can be heard or not") {
    const std::string text =
        complaints(wired("\"in -> a -> b -> out\", \"b -> a\", \"c -> d -> c\", \"in -> out\"",
                         node("a", "gain") + node("b", "gain") + node("c", "gain") + node("d", "gain")));
    CHECK(text.find("the loop a -> b -> a ") != std::string::npos);
    CHECK(text.find("the loop c -> d -> c ") != std::string::npos);
}

TEST_CASE("loops: a delay in one of two loops does not excuse the other") {
    const std::string text = complaints(wired("\"in -> a -> d -> b -> a\", \"b -> out\", \"a -> b\"",
                                              node("a", "gain") + node("b", "gain") + node("d", "delay")));
    CHECK(text ==
          "p.toml:2:27: links: the loop a -> b -> a has no delay; put a node of type \"delay\" "
          "(delay_samples = 1 up) "
          "into its cable \"b -> a\"\n");
}

TEST_CASE("loops: a very long one is described briefly, and does not exhaust the stack") {
    std::string chain = "\"in -> g0", nodes;
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) {
        if (i) chain += " -> g" + std::to_string(i);
        nodes += node("g" + std::to_string(i), "gain");
    }
    const std::string text = complaints(wired(chain + " -> g0\", \"g3 -> out\"", nodes));
    CHECK(text.find("the loop g0 -> g1 -> g2 -> g3 -> g4 -> g5 -> ... -> g19994 -> ") != std::string::npos);
    CHECK(text.find("g19999 -> g0 has no delay") != std::string::npos);
}

TEST_CASE("outputs: there must be one, and each device channel has one writer") {
    CHECK(complaints("links = [\"in -> x\"]\n" + node("x", "gain") + mono_in)
              .find("p.toml: nodes: no node of type \"output\", so that nothing would be heard; add one: "
                    "[nodes.out] type = \"output\" channels = [1, 2]\n") == 0);
    CHECK(complaints("").find("p.toml: nodes: no node of type \"output\"") == 0);
    CHECK(complaints(wired("\"in -> out\", \"in -> two\"", node("two", "output", "channels = [2]\n"))) ==
          "p.toml:11:1: nodes.out.channels: device channel 2 is already written by node \"two\" (line 5); "
          "cables into "
          "one output add up, a channel has one node\n");
    CHECK(complaints("links = [\"in -> out\"]\n" + mono_in + node("out", "output", "channels = [7, 7]\n")) ==
          "p.toml:8:1: nodes.out.channels: device channel 7 is named twice\n");
    CHECK(complaints(wired("\"in -> out\", \"in -> two\"", node("two", "output", "channels = [3, 4]\n"))) ==
          "");
    // An input channel may be read twice.
    CHECK(complaints(wired("\"in -> out\", \"in2 -> out\"", node("in2", "input", "channels = [1, 1]\n"))) ==
          "");
}

TEST_CASE("outputs: a patch needs no input") {
    const std::string nodes =
        "links = [\"d -> g -> d\", \"g -> out\"]\n" + node("d", "delay") + node("g", "gain");
    CHECK(complaints(nodes + stereo_out) == "");
}

}  // namespace
}  // namespace gainstage::test::resolve_links_test
