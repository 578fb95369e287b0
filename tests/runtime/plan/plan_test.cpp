/// Plans of random graphs and of random edits: at every step, each input hears exactly what its cables say.

#include <map>
#include <random>

#include "runtime/plan/change.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"

namespace gainstage::test::plan_test {

namespace {

constexpr int nodes = 14;

/// Node i is of the same type in every patch, so a node that two patches have may live on.
std::string type_of(int i) {
    static const char* const types[] = {"gain", "limiter", "delay", "mix", "gain", "crossfade", "pan"};
    return types[i % 7];
}
std::string port_of(int i, bool first) {
    if (type_of(i) == "mix") return first ? ".in1" : ".in2";
    if (type_of(i) == "crossfade") return first ? ".a" : ".b";
    return "";
}

/// Cables run from lower numbers to higher ones, and back into delays.
std::string random_patch(std::mt19937& random) {
    const auto number = [&](int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(random);
    };
    const auto chance = [&](double share) { return std::bernoulli_distribution(share)(random); };
    std::string text =
        "[nodes.mono]\ntype = \"input\"\nchannels = [1]\n[nodes.pair]\ntype = \"input\"\nchannels = [1, 2]\n"
        "[nodes.out]\ntype = \"output\"\nchannels = [1, 2]\n[nodes.aside]\ntype = \"output\"\nchannels = "
        "[3]\n";
    std::vector<int> there;
    for (int i = 0; i < nodes; ++i)
        if (chance(0.8)) there.push_back(i);
    std::vector<std::string> links;
    const auto link = [&](const std::string& from, const std::string& to) {
        const std::string cable = "\"" + from + " -> " + to + "\"";
        if (std::find(links.begin(), links.end(), cable) == links.end()) links.push_back(cable);
    };
    const auto earlier = [&](std::size_t than) {
        const int from = number(-2, static_cast<int>(than) - 1);
        return from == -2 ? "mono" : from == -1 ? "pair" : "n" + std::to_string(there[from]);
    };
    for (std::size_t k = 0; k < there.size(); ++k) {
        const std::string id = "n" + std::to_string(there[k]);
        text += "[nodes." + id + "]\ntype = \"" + type_of(there[k]) + "\"\n";
        if (type_of(there[k]) == "delay") text += "delay_ms = 100.0\n";
        link(earlier(k), id + port_of(there[k], true));
        link(earlier(k), id + port_of(there[k], false));
        if (chance(0.3)) link(earlier(k), id + port_of(there[k], chance(0.5)));
        if (type_of(there[k]) == "delay" && chance(0.7) && k + 1 < there.size())
            link("n" + std::to_string(there[number(static_cast<int>(k), static_cast<int>(there.size()) - 1)]),
                 id);
    }
    link(earlier(there.size()), "out");
    if (chance(0.5)) link(earlier(there.size()), "out");
    link("mono", "aside");
    std::string list;
    for (const std::string& cable : links) list += (list.empty() ? "" : ", ") + cable;
    return "format = 1\nlinks = [" + list + "]\n" + text;
}

/// Runs a plan with words for sound, and compares what every input hears with what the cables say.
class Listener {
public:
    Listener(const Arrangement* old, const Arrangement& now) : old_(old), now_(now) {}

    /// What is wrong; empty: nothing. Tasks run in a random order that their needs allow.
    std::string fault(const Plan& plan, bool fades, std::mt19937& random) {
        fades_ = fades;
        memory_.clear();
        heard_ = 0;
        if (!plan.tasks) return run(plan, 0, static_cast<int>(plan.steps.size()));
        std::vector<int> waiting;
        for (std::size_t t = 0; t < plan.tasks->list.size(); ++t) waiting.push_back(static_cast<int>(t));
        // What comes before the first task belongs to the audio thread.
        std::string wrong = run(plan, 0, plan.tasks->list.front().begin);
        for (TaskSet over = 0; !waiting.empty() && wrong.empty();) {
            std::shuffle(waiting.begin(), waiting.end(), random);
            const auto next = std::find_if(waiting.begin(), waiting.end(),
                                           [&](int t) { return (plan.tasks->list[t].needs & ~over) == 0; });
            const Task& task = plan.tasks->list[*next];
            wrong = run(plan, task.begin, task.end);
            over |= task_bit(*next);
            waiting.erase(next);
        }
        return wrong;
    }
    /// How many inputs were listened to in the latest run.
    int heard() const { return heard_; }

private:
    std::string name(const Slot* slot, int port, int channel) const {
        const bool is_old = old_ && std::none_of(now_.slots.begin(), now_.slots.end(),
                                                 [&](const auto& s) { return s.get() == slot; });
        return slot->description.id + (is_old ? "'" : "") + "." + std::to_string(port) + "." +
               std::to_string(channel);
    }

    std::string& at(const float* address) { return memory_[address]; }

    static std::string sum_of(const std::vector<std::string>& sounds) {
        std::string text;
        for (const std::string& sound : sounds) text += (text.empty() ? "" : " + ") + sound;
        return sounds.size() > 1 ? "(" + text + ")" : text;
    }

    std::string wanted(const Arrangement& patch, int node, int port, int channel) const {
        std::vector<std::string> sounds;
        for (const Source& source : patch.feeds.feed(node, port)) {
            const Slot& slot = *patch.slots[source.part];
            const int channels = slot.description.output_channels[source.port];
            sounds.push_back(name(&slot, source.port, std::min(channel, channels - 1)));
        }
        return sum_of(sounds);
    }

    static int node_of(const Arrangement* patch, const Slot* slot) {
        const int node = patch ? patch->node_of(slot->key) : -1;
        return node >= 0 && patch->slots[node].get() == slot ? node : -1;
    }

    /// What the cables say that an input hears.
    std::string wanted(const Slot* slot, int port, int channel) const {
        const int now = node_of(&now_, slot), before = fades_ ? node_of(old_, slot) : -1;
        const bool is_sink = slot->description.output_channels.empty();
        std::string to = now >= 0 ? wanted(now_, now, port, channel) : "";
        std::string from = before >= 0 ? wanted(*old_, before, port, channel) : "";
        if (!fades_ || (before < 0 && !is_sink)) return to;
        if (now < 0 && !is_sink) return from;
        return from == to ? to : "[" + from + " to " + to + "]";
    }

    std::string run(const Plan& plan, int begin, int end) {
        for (int s = begin; s < end; ++s) {
            const Step& step = plan.steps[s];
            if (step.kind == StepKind::process || step.kind == StepKind::absorb)
                for (int p = 0; p < step.input_count; ++p)
                    for (int c = 0; c < step.inputs[p].channels; ++c) {
                        const std::string hears = at(step.inputs[p].channel[c]),
                                          want = wanted(step.slot, p, c);
                        ++heard_;
                        if (hears != want)
                            return name(step.slot, p, c) + " hears \"" + hears + "\" instead of \"" + want +
                                   "\"";
                    }
            for (int p = 0; p < step.output_count; ++p)
                for (int c = 0; c < step.outputs[p].channels; ++c)
                    at(step.outputs[p].channel[c]) = written(step, p, c);
        }
        return {};
    }

    std::string written(const Step& step, int port, int channel) {
        if (step.kind == StepKind::process || step.kind == StepKind::emit)
            return name(step.slot, port, channel);
        std::vector<std::string> sounds;
        for (int p = 0; p < step.input_count; ++p) sounds.push_back(at(step.inputs[p].channel[channel]));
        if (step.kind == StepKind::fade) return "[" + sounds[0] + " to " + sounds[1] + "]";
        return sum_of(sounds);
    }

    const Arrangement* old_;
    const Arrangement& now_;
    bool fades_ = false;
    std::map<const float*, std::string> memory_;
    int heard_ = 0;
};

}  // namespace

TEST_CASE("plan: in random graphs and edits every input hears exactly what its cables say") {
    std::mt19937 random(7);
    int fades = 0, tasks = 0, aligns = 0, loops = 0;
    for (int round = 0; round < 150; ++round) {
        const ChangeConfig config{.arrange = {.max_frames = 16, .with_histories = false, .rebuild = {}},
                                  .threads = round % 2 ? 3 : 1};
        const std::string before = random_patch(random), after = random_patch(random);
        INFO(before << "\n\n" << after);
        KeyTable keys;
        Arrangement old = arrange(graph_of(before), nullptr, keys, config.arrange);
        REQUIRE_FALSE(has_errors(old.problems));
        const Change first = plan_change(nullptr, old, keys, config);
        REQUIRE(Listener(nullptr, old).fault(*first.transition->after, false, random) == "");

        Arrangement now = arrange(graph_of(after), &old, keys, config.arrange);
        const Change edit = plan_change(&old, now, keys, config);
        REQUIRE_FALSE(has_errors(edit.problems));
        Listener listener(&old, now);
        REQUIRE(listener.fault(*edit.transition->after, false, random) == "");
        REQUIRE(listener.heard() > 3);
        if (!edit.transition->during) continue;
        REQUIRE(listener.fault(*edit.transition->during, true, random) == "");
        ++fades;
        tasks += edit.transition->during->tasks != nullptr;
        loops += !edit.transition->during->loops.empty();
        for (const GraphNode& node : now.graph.nodes) aligns += node.id.front() == '~';
    }
    CHECK(fades > 100);  // the graphs are such that the law says something
    CHECK(tasks > 20);
    CHECK(loops > 20);
    CHECK(aligns > 20);
}

TEST_CASE("plan: a node that can't be built is a problem at its place") {
    const ChangeConfig config{.arrange = {.sample_rate_hz = 48'000., .rebuild = {}}};
    KeyTable keys;
    const Graph graph = graph_of(
        "format = 1\nlinks = [\"in -> echo -> slow -> echo\", \"echo -> out\"]\n[nodes.in]\ntype = "
        "\"input\"\n"
        "channels = [1]\n[nodes.echo]\ntype = \"delay\"\ndelay_samples = 3\n[nodes.slow]\ntype = "
        "\"limiter\"\n"
        "[nodes.out]\ntype = \"output\"\nchannels = [1]\n");
    const Arrangement refused = arrange(graph, nullptr, keys, config.arrange);
    REQUIRE(refused.problems.size() == 1);
    const Problem& problem = refused.problems.front();
    CHECK_FALSE(problem.is_note);
    CHECK(problem.place.line == 6);
    CHECK(problem.place.column > 0);
    CHECK(problem.key == "nodes.echo");
}

}  // namespace gainstage::test::plan_test
