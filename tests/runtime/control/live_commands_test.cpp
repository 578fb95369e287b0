/// What a session answers to commands.

#include <nlohmann/json.hpp>

#include "runtime/control/parse_command.hpp"
#include "runtime/engine/take.hpp"
#include "tests/runtime/control/live_stage.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::live_commands_test {

using namespace std::chrono_literals;
using namespace live_stage;

namespace {

using Json = nlohmann::json;

/// Asks by text; what a door would write.
Json ask(Stage& stage, const std::string& line) {
    const auto answer = std::make_shared<std::promise<Answer>>();
    post_line(stage.inbox(), line, [answer](const Answer& given) { answer->set_value(given); });
    return Json::parse(to_json(report_of(answer->get_future().get())));
}

/// In a child: ends it with the words.
void expect(bool is_so, const Json& told) {
    if (is_so) return;
    std::fprintf(stderr, "%s\n", told.dump().c_str());
    _exit(1);
}

void expect_refused(Stage& stage, const std::string& line, const std::string& part) {
    const Json told = ask(stage, line);
    expect(told["event"] == "refused" && has(told["reason"], part), told);
}

void expect_done(Stage& stage, const std::string& line) {
    const Json told = ask(stage, line);
    expect(told["event"] == "done", told);
}

}  // namespace

// In children: a session locks the memory of its whole process.

TEST_CASE("what a set has set, a get says: knobs, switches, the master, at once and later") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder));
        stage.listener().wait_for(Kind::playing);
        Json told = ask(stage, "@7 get trim.gain_db");
        expect(told["event"] == "done" && told["id"] == "7" && told["command"] == "get" &&
                   told["value"] == 0. && told["unit"] == "dB" && told["address"] == "trim.gain_db" &&
                   told["at"].is_number(),
               told);
        for (const char* const pair :
             {"trim.gain_db -6", "trim.bypass 1", "trim.mute 0", "master.gain_db -12", "master.mute 1",
              "master.bypass 1", "master.mute 0", "master.bypass 0"}) {
            const std::string words = pair, address = words.substr(0, words.find(' '));
            const double value = std::stod(words.substr(words.find(' ')));
            told = ask(stage, "set " + words);
            expect(told["event"] == "done" && told["value"] == value, told);
            told = ask(stage, "get " + address);
            expect(told["value"] == value, told);
            std::this_thread::sleep_for(60ms);  // the audio thread's own word by now
            told = ask(stage, "get " + address);
            expect(told["value"] == value, told);
        }
        const SessionEnd how = stage.quit();
        expect(how.exit_code == 0, how.exit_code);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE(
    "commands that can't be obeyed are refused with the reason and the nearest name, none is swallowed") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder));
        stage.listener().wait_for(Kind::playing);
        const std::size_t before = stage.listener().all(Kind::event).size();
        expect_refused(stage, "set trim.gian_db 3", "did you mean \"gain_db\"?");
        expect_refused(stage, "set tirm.gain_db 3", "did you mean \"trim\"?");
        expect_refused(stage, "set trim.gain_db 1000", "trim.gain_db goes from ");
        expect_refused(stage, "set trim.bypass 0.5", "trim.bypass is 0 or 1");
        expect_refused(stage, "set trim.gain_db 0 2000000", "milliseconds");
        expect_refused(stage, "set panic 1", "a command of its own");
        expect_refused(stage, "set trim 1", "is no target");
        expect_refused(stage, "set tempo_bpm 120", "no tempo");
        expect_refused(stage, "set master.gian_db -3", "did you mean \"gain_db\"?");
        expect_refused(stage, "set master.gain_db 3", "master.gain_db goes from -60 to 0 dB, not to 3");
        expect_refused(stage, "set master.mute 0.5", "0 or 1");
        expect_refused(stage, "get master.loudness", "the master has no");
        expect_refused(stage, "get nothing.at_all", "there is no node");
        for (const char* const word : {"song 1", "arm next", "tap", "dump", "learn trim.gain_db"})
            expect_refused(stage, word, "this version of Gainstage");
        expect_refused(stage, "scene verse", "the patch has no scenes");
        expect_done(stage, "sync 1");
        expect(stage.listener().all(Kind::event).size() == before, "something was applied");
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE(
    "a scene is chosen by its name, its number, next and previous, and its knobs are not saved as moved") {
    const End end = in_child([] {
        const TemporaryFolder folder, state;
        setenv("XDG_STATE_HOME", state.path().c_str(), 1);
        const LiveConfig config = config_in(folder);
        const std::string text = folder.read("song.toml") +
                                 "\n[scenes.verse]\ntrim = { gain_db = -3.0 }\n"
                                 "\n[scenes.solo]\nmorph_ms = 50\ntrim = { gain_db = 6.0 }\n";
        folder.write("song.toml", text);
        Stage stage(config);
        stage.listener().wait_for(Kind::playing);
        const auto stands_at = [&](const std::string& command, double gain_db) {
            expect_done(stage, command);
            Json told;
            for (int k = 0; k < 100; ++k) {
                told = ask(stage, "get trim.gain_db");
                if (told["value"] == gain_db) return;
                std::this_thread::sleep_for(20ms);
            }
            expect(false, {command, told});
        };
        stands_at("scene verse", -3.);
        stands_at("scene next 0", 6.);
        stands_at("scene next", -3.);
        stands_at("scene previous 10", 6.);
        stands_at("scene 1", -3.);
        stands_at("set trim.gain_db 1.5", 1.5);
        stands_at("scene \"solo\" 400", 6.);
        expect(ask(stage, "status")["scene"] == "solo", ask(stage, "status"));
        expect_refused(stage, "scene vers", "did you mean \"verse\"?");
        expect_refused(stage, "scene 3", "there is no scene 3; expected 1 to 2");
        expect_refused(stage, "scene \"next\"", "there is no scene");
        expect_refused(stage, "scene verse 2000000", "milliseconds");
        stands_at("set level.mute 1", 6.);
        const Json told = ask(stage, "save");
        expect(told["wrote"] == Json{"level.mute"}, told);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("nodes lists what plays with ranges, units and values; status says how it stands") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder));
        stage.listener().wait_for(Kind::playing);
        expect_done(stage, "set trim.gain_db -6");
        expect_done(stage, "set master.gain_db -3");
        std::this_thread::sleep_for(60ms);
        const Json nodes = ask(stage, "nodes");
        expect(nodes["event"] == "done" && nodes["nodes"].size() == 4 && nodes["links"].size() == 3 &&
                   nodes["links"][0] == "in -> trim" && nodes["file"].is_string(),
               nodes);
        Json trim;
        for (const Json& node : nodes["nodes"])
            if (node["node"] == "trim") trim = node;
        const Json& knob = trim["knobs"][0];
        expect(trim["type"] == "gain" && trim["knobs"].size() == 3 && knob["address"] == "trim.gain_db" &&
                   knob["unit"] == "dB" && knob["value"] == -6. && knob["min"] < -20. && knob["max"] > 0. &&
                   trim["knobs"][1]["address"] == "trim.bypass" && trim["knobs"][1]["value"] == 0. &&
                   trim["knobs"][2]["steps"] == 2,
               nodes);
        expect(nodes["master"][0]["value"] == -3. && nodes["master"].size() == 3, nodes);
        const Json status = ask(stage, "status");
        expect(status["device"]["rate_hz"] == 48'000 && status["load"].is_number() &&
                   status["latency_ms"]["total"].is_number() && status["readings"].size() == 3 &&
                   status["master"]["gain_db"] == -3. && status["master"]["mute"] == false,
               status);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("before anything plays a command is refused, and a session that starts muted says so") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        LiveConfig config = config_in(folder);
        config.log = folder.file("take.jsonl");
        config.start_muted = true;
        Stage stage(config, {.open_device = [](const AudioRequest& request) {
                        return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{.opening = 1s});
                    }});
        expect_refused(stage, "get trim.gain_db", "nothing plays yet");
        expect_refused(stage, "set master.mute 0", "nothing plays yet");
        expect_refused(stage, "nodes", "nothing plays yet");
        expect_refused(stage, "status", "nothing plays yet");
        expect_done(stage, "sync");
        const SessionReport started = stage.listener().wait_for(Kind::started);
        expect(has(started.text, "muted until"), started.text);
        stage.listener().wait_for(Kind::playing);
        Json told = ask(stage, "get master.mute");
        expect(told["value"] == 1., told);
        expect_done(stage, "set master.mute off");
        stage.quit();
        const Take take = read_take(config.log);
        expect(take.events.size() == 3 && take.events[0].node == "master" &&
                   take.events[0].event.stamp == 0 && take.events[0].event.value == 1.f &&
                   take.events[1].event.value == 0.f,
               take.events.size());
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE(
    "save writes what the hands have moved into the patch, undo brings its former text back by a fade") {
    const End end = in_child([] {
        const TemporaryFolder folder, state;
        setenv("XDG_STATE_HOME", state.path().c_str(), 1);
        const LiveConfig config = config_in(folder);
        const std::string before = folder.read("song.toml");
        Stage stage(config);
        stage.listener().wait_for(Kind::playing);
        expect_refused(stage, "undo", "there is no former text");
        Json told = ask(stage, "save");
        expect(told["event"] == "done" && told["wrote"].empty() && folder.read("song.toml") == before, told);
        expect_refused(stage, "save verse", "can't save a scene");
        expect_done(stage, "set trim.gain_db -6.5 0");
        expect_done(stage, "set level.mute 1");
        const std::size_t from = stage.listener().count();
        told = ask(stage, "save");  // at once: the moves are waited for
        const std::string after = folder.read("song.toml");
        expect(told["event"] == "done" && told["wrote"] == Json{"trim.gain_db", "level.mute"} &&
                   has(after, "gain_db = -6.5") && has(after, "mute = true"),
               told);
        const auto is_edit = [](const SessionReport& report) {
            return report.kind == Kind::playing || report.kind == Kind::unchanged;
        };
        stage.listener().wait_for(is_edit, from);
        told = ask(stage, "undo");
        expect(told["event"] == "done" && folder.read("song.toml") == before, told);
        for (int k = 0; k < 100; ++k) {  // the knob goes back with the text
            told = ask(stage, "get trim.gain_db");
            if (told["value"] == 0.) break;
            std::this_thread::sleep_for(20ms);
        }
        expect(told["value"] == 0., told);
        expect_refused(stage, "undo", "there is no former text");
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a patch that can't be written is not: save is refused with the reason, and the music goes on") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        setenv("XDG_STATE_HOME", folder.write("no-folder", "").c_str(), 1);
        const LiveConfig config = config_in(folder);
        const std::string before = folder.read("song.toml");
        Stage stage(config);
        stage.listener().wait_for(Kind::playing);
        expect_done(stage, "set trim.gain_db -6.5 0");
        expect_refused(stage, "save", "cannot be written");
        expect(folder.read("song.toml") == before, "the patch");
        expect_done(stage, "sync");
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a flood of commands is answered to the last one, and no turn of the loop takes longer for it") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder));
        stage.listener().wait_for(Kind::playing);
        constexpr int threads = 4, each = 5'000;
        std::atomic<int> answered{0};
        std::vector<std::thread> senders;
        for (int t = 0; t < threads; ++t)
            senders.emplace_back([&, t] {
                const char* const lines[] = {
                    "nodes",  "status", "get trim.gain_db", "set trim.gain_db -3", "set master.gain_db -1",
                    "rubbish"};
                for (int k = 0; k < each; ++k)
                    post_line(stage.inbox(), lines[(k + t) % 6], [&](const Answer&) { ++answered; });
            });
        for (std::thread& sender : senders) sender.join();
        expect_done(stage, "sync");
        expect(answered == threads * each, answered.load());
        const auto begin = Clock::now();
        expect_done(stage, "panic");
        expect(Clock::now() - begin < 1s, "panic waited");
        stage.quit();
        const double longest = stage.listener().all(Kind::summary).front().summary->longest_turn_ms;
        std::fprintf(stderr, "longest turn %.2f ms\n", longest);
    });
    INFO(end.said);
    CHECK(end.peaceful());
    std::fprintf(stderr, "%s", end.said.c_str());
}

}  // namespace gainstage::test::live_commands_test
