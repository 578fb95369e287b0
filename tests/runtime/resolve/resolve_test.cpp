// Types, options, knobs and models of nodes, looked up and checked.

#include "nodes/all_nodes.hpp"
#include "tests/runtime/resolve/resolve_rig.hpp"

namespace gainstage::test::resolve_test {
namespace {

TEST_CASE("resolve: a good patch becomes a graph with every default filled in") {
    const std::string text = "name = \"N\"\nfade_ms = 7\nceiling_dbfs = 12\n" +
                             around("comp", "ratio = 2\ninvert = false\nsmooth_ms = 5\nlookahead_ms = 3\n");
    const Graph g = graph(text);
    CHECK(g.name == "N");
    CHECK(g.file == "p.toml");
    CHECK(g.fade_ms == 7.f);
    CHECK(g.ceiling_dbfs == 12.f);
    CHECK(g.patch_text == "format = 1\n" + text);
    CHECK(g.files == std::vector<std::string>{"p.toml"});
    CHECK(g.node_index("out") == 2);
    CHECK(g.node_index("nobody") == -1);

    const GraphNode& x = g.nodes.at(0);
    CHECK(x.id == "x");
    CHECK(x.type->name == "comp");
    CHECK(x.place == Place{6, 8});
    CHECK(x.param_index("attack_ms") == 1);
    CHECK(x.param_index("gain_db") == -1);
    CHECK(x.values == std::vector<float>{2.f, 1.f, 0.f, 0.f});
    CHECK(x.smooth_ms == std::vector<float>{5.f, 5.f, 0.f, 0.f});  // switches are never smoothed
    CHECK(x.options.get<bool>("link"));
    CHECK(x.options.get<double>("lookahead_ms") == 3.);
    CHECK(x.options.get<std::string>("detector") == "peak");
    CHECK_FALSE(x.options.has("label"));
    CHECK(g.nodes[1].options.get<std::vector<int>>("channels") == std::vector<int>{1});
    REQUIRE(g.links.size() == 2);
    CHECK(g.links[0].from == 1);
    CHECK(g.links[0].to == 0);
    CHECK(g.links[1].to == 2);
}

TEST_CASE("resolve: an unknown type is reported with the nearest name") {
    const std::string types =
        " (types: input, output, gain, comp, mix, pan, mono, switcher, delay, s4d, grey_box)\n";
    CHECK(complaints(around("gian", "")) ==
          "p.toml:4:1: nodes.x.type: unknown node type \"gian\"; did you mean \"gain\"?" + types);
    CHECK(complaints("links = [\"in -> x -> out\"]\n[nodes.x]\n" + mono_in + stereo_out) ==
          "p.toml:3:8: nodes.x: has no type; add type = \"...\"" + types);
    CHECK(complaints("links = [\"in -> x -> out\"]\n[nodes.x]\ntyp = \"gain\"\n" + mono_in + stereo_out) ==
          "p.toml:3:8: nodes.x: has no type; did you mean \"type\" by \"typ\"?" + types);
}

TEST_CASE("resolve: an unknown setting is reported with the nearest name and all names") {
    CHECK(
        complaints(around("gain", "gian_db = 1\n")) ==
        "p.toml:5:1: nodes.x.gian_db: unknown setting of type \"gain\"; did you mean \"gain_db\"? (settings: "
        "gain_db, smooth_ms, bypass, mute)\n");
    CHECK(complaints(around("gain", "model = \"a\"\n")) ==
          "p.toml:5:1: nodes.x.model: unknown setting of type \"gain\" (settings: gain_db, smooth_ms, "
          "bypass, mute)\n");
    // It has nothing to smooth.
    CHECK(complaints(around("pan", "smooth_ms = 1\n")) ==
          "p.toml:5:1: nodes.x.smooth_ms: unknown setting of type \"pan\" (settings: bypass, mute)\n");
}

TEST_CASE("resolve: bypass and mute are settings of every node that can be switched so") {
    const auto graph_with = [](const std::string& settings) {
        return graph("links = [\"in -> x -> out\"]\n" + node("x", "gain", settings) + mono_in +
                     "mute = true\n" + stereo_out + "mute = 1\n");
    };
    const Graph g = graph_with("bypass = true\nmute = false\n");
    CHECK(g.nodes[0].bypass);
    CHECK_FALSE(g.nodes[0].mute);
    CHECK(g.nodes[1].mute);
    CHECK(g.nodes[2].mute);
    CHECK_FALSE(graph_with("").nodes[0].bypass);
    CHECK(complaints("links = [\"in -> x -> out\"]\n" + node("x", "gain", "mute = 2\nbypass = \"on\"\n") +
                     mono_in + stereo_out) ==
          "p.toml:5:1: nodes.x.mute: 2; expected true or false\n"
          "p.toml:6:1: nodes.x.bypass: \"on\"; expected true or false\n");
    CHECK(complaints("links = [\"in -> out\"]\n" + mono_in + stereo_out + "bypass = true\n")
              .find("nodes.out.bypass: unknown setting of type \"output\"") != std::string::npos);
}

TEST_CASE("resolve: values are checked against their specs") {
    const auto complaint = [](const std::string& setting) {
        return complaints(around("comp", setting + "\n"));
    };
    CHECK(complaint("ratio = 0.5") == "p.toml:5:1: nodes.x.ratio: 0.5; expected 1 to 100 :1\n");
    CHECK(complaint("ratio = nan") == "p.toml:5:1: nodes.x.ratio: nan; expected 1 to 100 :1\n");
    CHECK(complaint("ratio = 1e300") == "p.toml:5:1: nodes.x.ratio: 1e+300; expected 1 to 100 :1\n");
    CHECK(complaint("ratio = \"4\"") == "p.toml:5:1: nodes.x.ratio: \"4\"; expected 1 to 100 :1\n");
    CHECK(complaint("ratio = true") == "p.toml:5:1: nodes.x.ratio: true; expected 1 to 100 :1\n");
    CHECK(complaint("range = 0.4") == "p.toml:5:1: nodes.x.range: 0.4; expected 0, 0.5 or 1\n");
    CHECK(complaint("invert = 2") == "p.toml:5:1: nodes.x.invert: 2; expected 0 or 1\n");
    CHECK(complaint("link = 1") == "p.toml:5:1: nodes.x.link: 1; expected true or false\n");
    CHECK(complaint("lookahead_ms = 0") ==
          "p.toml:5:1: nodes.x.lookahead_ms: 0; expected a number from 0.1 to 20\n");
    CHECK(complaint("lookahead_ms = inf") ==
          "p.toml:5:1: nodes.x.lookahead_ms: inf; expected a number from 0.1 to 20\n");
    CHECK(complaint("detector = \"Peak\"") ==
          "p.toml:5:1: nodes.x.detector: \"Peak\" is not known here; did you mean \"peak\"? (one of: peak, "
          "rms)\n");
    CHECK(complaint("detector = 1") == "p.toml:5:1: nodes.x.detector: 1; expected one of peak, rms\n");
    CHECK(complaint("label = 1") == "p.toml:5:1: nodes.x.label: 1; expected a text in quotation marks\n");
    CHECK(complaint("smooth_ms = -1") == "p.toml:5:1: nodes.x.smooth_ms: -1; expected 0 to 10000 ms\n");
    CHECK(complaint("smooth_ms = \"x\"") == "p.toml:5:1: nodes.x.smooth_ms: \"x\"; expected 0 to 10000 ms\n");
    CHECK(complaints(around("mix", "channels = 3\n")) ==
          "p.toml:5:1: nodes.x.channels: 3; expected a whole number from 0 to 2\n");
}

TEST_CASE("resolve: the ends of a range are allowed, even if they are no floats") {
    const Graph g = graph(around("comp", "attack_ms = 0.1\nratio = 100\nrange = 0.5\n"));
    CHECK(g.nodes[0].values == std::vector<float>{100.f, 0.1f, 0.5f, 1.f});
}

TEST_CASE("resolve: device channels are one or two numbers from 1") {
    const std::string expected = "; expected a list of one or two channels from 1 to 64, such as [1, 2]\n";
    const auto complaint = [](const std::string& channels) {
        return complaints("links = [\"in -> out\"]\n" + node("in", "input", channels) + stereo_out);
    };
    CHECK(complaint("channels = [0]\n").find("p.toml:5:1: nodes.in.channels: [0]" + expected) == 0);
    CHECK(complaint("channels = [1, 2, 3]\n").find("p.toml:5:1: nodes.in.channels: [1, 2, 3]" + expected) ==
          0);
    CHECK(complaint("channels = []\n").find("p.toml:5:1: nodes.in.channels: []" + expected) == 0);
    CHECK(complaint("channels = 1\n").find("p.toml:5:1: nodes.in.channels: 1" + expected) == 0);
    CHECK(complaint("channels = [65]\n").find("p.toml:5:1: nodes.in.channels: [65]" + expected) == 0);
    CHECK(complaint("") == "p.toml:3:8: nodes.in: type \"input\" needs \"channels\"" + expected);
}

TEST_CASE("resolve: a knob that an option replaces is refused next to that option") {
    CHECK(complaints(around("delay", "delay_ms = 3\ndelay_samples = 7\n")) ==
          "p.toml:5:1: nodes.x.delay_ms: does nothing beside \"delay_samples\"; write one of them\n");
    CHECK(complaints(around("delay", "delay_samples = 7\nsmooth_ms = 3\n")) ==
          "p.toml:6:1: nodes.x.smooth_ms: there is no knob left that it could smooth; leave it out\n");
    CHECK(complaints(around("delay", "delay_ms = 3\ndelay_samples = 0\nsmooth_ms = 3\n")) == "");
}

TEST_CASE("resolve: a model brings its controls") {
    Shelf shelf{
        .models = {
            {"shelf/m.safetensors",
             model("s4d",
                   {{.name = "peak", .unit = "%", .min = 0.f, .max = 100.f, .start = 30.f},
                    {.name = "mode", .unit = "", .min = 0.f, .max = 1.f, .start = 0.f, .steps = 2}})}}};
    const std::string use = "model = \"m.safetensors\"\n";

    SECTION("after the type's own knobs, with their units and ranges") {
        const Graph g = graph(around("s4d", use + "peak = 55\nrate = \"refuse\"\n"), shelf.reader(), 44'100.);
        const GraphNode& x = g.nodes[0];
        REQUIRE(x.params.size() == 3);
        CHECK(x.params[1].name == "peak");
        CHECK(x.params[1].unit == "%");
        CHECK(x.values == std::vector<float>{0.f, 55.f, 0.f});
        CHECK(x.smooth_ms == std::vector<float>{20.f, 20.f, 0.f});
        CHECK(x.model == shelf.models["shelf/m.safetensors"]);
        CHECK(x.refuse_other_rates);
        CHECK(g.files == std::vector<std::string>{"p.toml", "shelf/m.safetensors"});
    }
    SECTION("each file is read once, however many nodes play it") {
        graph("links = [\"in -> x -> y -> out\"]\n" + node("x", "s4d", use) + node("y", "s4d", use) +
                  mono_in + stereo_out,
              shelf.reader());
        CHECK(shelf.asked["shelf/m.safetensors"] == 1);
    }
    SECTION("an unknown setting is compared with their names") {
        CHECK(complaints(around("s4d", use + "paek = 55\n"), shelf.reader()) ==
              "p.toml:6:1: nodes.x.paek: unknown setting of type \"s4d\"; did you mean \"peak\"? (settings: "
              "model, "
              "rate, trim_db, peak, mode, smooth_ms, bypass, mute)\n");
        CHECK(complaints(around("s4d", use + "peak = 101\n"), shelf.reader()) ==
              "p.toml:6:1: nodes.x.peak: 101; expected 0 to 100 %\n");
    }
    SECTION("another rate is refused if the patch says so, and only then") {
        CHECK(complaints(around("s4d", use + "rate = \"refuse\"\n"), shelf.reader(), 48'000.) ==
              "p.toml:6:1: nodes.x.rate: the model was made for 44100 Hz and the stream runs at 48000 Hz; "
              "run at "
              "that rate, or write rate = \"auto\"\n");
        CHECK(complaints(around("s4d", use + "rate = \"auto\"\n"), shelf.reader(), 48'000.) == "");
        CHECK(complaints(around("s4d", use + "rate = \"refuse\"\n"), shelf.reader()) == "");
        CHECK(complaints(around("s4d", use + "rate = 44100\n"), shelf.reader()) ==
              "p.toml:6:1: nodes.x.rate: 44100; expected \"auto\" or \"refuse\"\n");
    }
}

TEST_CASE("resolve: a model that cannot be played is refused at the line that names it") {
    Shelf shelf{.models = {{"shelf/g.safetensors", model("grey_box")},
                           {"shelf/clash.safetensors", model("s4d", {{.name = "trim_db", .unit = "dB"},
                                                                     {.name = "bypass", .unit = ""}})},
                           {"shelf/lstm.safetensors", model("lstm")}}};
    const auto complaint = [&](const std::string& settings) {
        return complaints(around("s4d", settings), shelf.reader());
    };
    CHECK(complaint("") ==
          "p.toml:3:8: nodes.x: type \"s4d\" needs a model; add model = \"FILE.safetensors\"\n");
    CHECK(complaint("model = 3\n") ==
          "p.toml:5:1: nodes.x.model: expected the path of a model file, relative to the patch\n");
    CHECK(complaint("model = \"g.safetensors\"\n") ==
          "p.toml:5:1: nodes.x.model: \"m.safetensors\" holds a model of architecture \"grey_box\", but type "
          "\"s4d\" plays \"s4d\"; write type = \"grey_box\"\n");
    CHECK(complaint("model = \"lstm.safetensors\"\n") ==
          "p.toml:5:1: nodes.x.model: \"m.safetensors\" holds a model of architecture \"lstm\", but type "
          "\"s4d\" "
          "plays \"s4d\"; choose a file of that architecture\n");
    const std::string clash =
        " has the name of another setting of this node; export the model with another name for it\n";
    CHECK(complaint("model = \"clash.safetensors\"\n") ==
          "p.toml:5:1: nodes.x.model: the model's control \"trim_db\"" + clash +
              "p.toml:5:1: nodes.x.model: the model's control \"bypass\"" + clash);

    SECTION("and nothing that depends on its controls is reported too") {
        const Resolved result = resolved(around("s4d", "model = \"gone.safetensors\"\npeak = 3\n") +
                                             "[[midi]]\ncc = 1\ntarget = \"x.peak\"\n",
                                         shelf.reader());
        CHECK(lines(result.problems) == "p.toml:5:1: nodes.x.model: shelf/gone.safetensors: no such file\n");
        CHECK(result.problems.at(0).exit_code == 66);
    }
}

TEST_CASE("resolve: problems that the reader reported are not reported again") {
    const ReadPatch read = read_patch_text(
        "format = 1\nlinks = [\"in -> x -> out\"]\n[nodes.x]\ntype = 3\n" + mono_in + stereo_out, "p.toml",
        "");
    CHECK(read.problems.size() == 1);
    const Resolved result = resolve(read.patch, small_types(), nullptr);
    CHECK(lines(result.problems) == "");
    CHECK_FALSE(result.graph);
}

TEST_CASE("resolve: all errors of a patch are reported at once, in the order of their places") {
    const Resolved result = resolved(
        "links = [\"in -> a -> b -> a\", \"b -> nobody\", \"b.left -> out\"]\n" +  // line 2
        node("a", "gain", "gain_db = 99\nbas = 1\n") + node("b", "gian") + node("c", "gain") + mono_in +
        stereo_out + node("out2", "output", "channels = [2]\n") + "[[midi]]\ncc = 1\ntarget = \"a.gain\"\n");
    std::string places;
    for (const Problem& problem : result.problems) places += std::to_string(problem.place.line) + " ";
    // nobody; 99; bas; gian; c unfed and unheard; out2 unfed and on a channel of out's; target
    CHECK(places == "2 5 6 8 9 9 17 19 22 ");
    CHECK_FALSE(result.graph);
}

TEST_CASE("resolve: the shipped gain reads as documented") {
    std::vector<NodeType> types;
    for (const NodeType& type : all_nodes())
        if (type.name == "gain" || type.name == "input" || type.name == "output") types.push_back(type);
    const ReadPatch read = read_patch_text("format = 1\n" + around("gain", "gain_db = -3.5\n"), "p.toml", "");
    const Resolved result = resolve(read.patch, types, nullptr);
    CHECK(lines(result.problems) == "");
    REQUIRE(result.graph);
    CHECK(result.graph->nodes[0].values == std::vector<float>{-3.5f});
}

}  // namespace
}  // namespace gainstage::test::resolve_test
