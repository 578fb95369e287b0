/// The live callback from its first block to its last, under the guard of the audio thread's promises.
/// Meanwhile models and patches change, the input is recorded and a log is written.

#include <chrono>
#include <filesystem>

#include "runtime/control/live_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::live_guard_test {

using namespace std::chrono_literals;

namespace {

LiveConfig rehearsal_in(const TemporaryFolder& folder, const std::string& song) {
    LiveConfig config;
    config.patch = folder.write("song.toml", song);
    config.null_device = true;
    config.log = folder.file("take.jsonl");
    config.record = folder.file("heard.wav");
    config.rehearse = true;
    return config;
}

/// Counts the changes that are complete; what is wrong goes to stderr.
class Witness final : public Sink {
public:
    void take(const SessionReport& report) override {
        if (report.kind == SessionReport::Kind::playing) ++finished;
        if (report.kind == SessionReport::Kind::problem || report.kind == SessionReport::Kind::failed)
            std::fprintf(stderr, "%s\n", report.text.c_str());
        if (report.summary) summary = *report.summary;
    }
    int finished = 0;
    LiveSummary summary;
};

/// Runs in a child process: a session locks the memory of its whole process, and a violation ends it.
class Rehearsal {
public:
    Rehearsal(const TemporaryFolder& folder, const std::string& song)
        : session_(rehearsal_in(folder, song), nodes_for_tests()) {
        session_.add(witness_);
    }

    /// Turns the session until this many changes are complete.
    void wait_for(int changes) {
        const auto patience = std::chrono::steady_clock::now() + 60s;
        while (witness_->finished < changes)
            if (!session_.turn() || std::chrono::steady_clock::now() > patience) _exit(3);
    }
    LiveSummary end() {
        session_.inbox().post({.kind = Command::Kind::quit});
        if (session_.run().exit_code != 0) _exit(5);
        return witness_->summary;
    }

private:
    const std::shared_ptr<Witness> witness_ = std::make_shared<Witness>();
    LiveSession session_;
};

std::string song(const std::string& model, double gain_db, const std::string& links) {
    return patch(links, grey_box("box", model, "peak_reduction = 60.0") + gain("trim", gain_db) +
                            node("safety", "limiter"));
}

}  // namespace

TEST_CASE("the live callback keeps its promises while models, patches and knobs change") {
    if (realtime_guard() == RealtimeGuard::none) return;  // another sanitizer is in its place
    const End end = in_child([] {
        const TemporaryFolder folder;
        const ModelFile opto = model_parts(source_dir() + "/models/opto-textbook.safetensors");
        const std::string chain = R"("in -> box -> trim -> safety -> out")",
                          turned = R"("in -> trim -> box -> safety -> out")";
        const std::string box = save(folder, "box.safetensors", remembering(opto, 9'600));
        Rehearsal rehearsal(folder, song(box, 0., chain));
        rehearsal.wait_for(1);
        std::filesystem::rename(save(folder, "new", remembering(louder(opto, -3.), 9'600)), box);
        rehearsal.wait_for(2);
        folder.write("song.toml", song(box, -6., chain));  // a knob moves
        rehearsal.wait_for(3);
        folder.write("song.toml", song(box, -6., turned));  // nodes change places
        rehearsal.wait_for(4);
        const LiveSummary summary = rehearsal.end();
        if (summary.swaps < 1 || summary.edits != 2 || summary.device_lost || summary.is_incomplete) _exit(4);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a node that allocates in the live callback is caught there") {
    if (realtime_guard() == RealtimeGuard::none) return;  // another sanitizer is in its place
    const End end = in_child([] {
        const TemporaryFolder folder;
        Rehearsal rehearsal(folder, patch(R"("in -> bad -> out")",
                                          node("bad", "offender", "at = 4800\nwhat = \"allocate\"")));
        rehearsal.wait_for(1'000);
    });
    CHECK_FALSE(end.peaceful());
    INFO(end.said);
    // our guard and RealtimeSanitizer 19 print "real-time violation" with the name of the function; later
    // sanitizers begin with their own name
    CHECK((end.said.find("eal-time violation") != std::string::npos ||
           end.said.find("RealtimeSanitizer") != std::string::npos));
    CHECK(end.said.find("malloc") != std::string::npos);
}

}  // namespace gainstage::test::live_guard_test
