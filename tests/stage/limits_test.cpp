/// The program on small machines: stacks, threads and memory are limited, signals are blocked.
/// It plays with what there is and says so, or it refuses with a sentence.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/words.hpp"
#include "tests/tools/cli.hpp"

namespace gainstage::test::limits_test {

namespace {

const std::string play = "run patches/hello.toml --null --seconds 0.2 --threads 2";

/// Runs `gainstage ARGUMENTS` by bash after these words, such as "ulimit -s 64;".
Outcome run_after(const std::string& words, const std::string& arguments, const std::string& as = "") {
    return run("bash -c '" + words + " exec " + as + " \"$0\" \"$@\"' " + program_path(), arguments);
}

/// A user that nobody else is, whose limits count for it alone. Only root can.
const std::string nobody = "setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all";

bool can_be_nobody() {
    if (geteuid() == 0 && std::system("command -v setpriv >/dev/null") == 0) return true;
    WARN("skipped: limits of another user need root and setpriv");
    return false;
}

/// It has ended by itself, and whoever reads knows why.
void check_manners(const Outcome& outcome) {
    INFO(outcome.exit_code << ": " << outcome.err);
    CHECK(outcome.exit_code >= 0);
    CHECK(outcome.exit_code < 128);  // no signal has ended it
    CHECK(outcome.exit_code != 70);  // no fault of ours
    if (outcome.exit_code != 0) CHECK_FALSE(outcome.err.empty());
    if (has(outcome.err, "Resource temporarily unavailable")) CHECK(has(outcome.err, "ulimit -"));
    CHECK_FALSE(has(outcome.err, "std::bad_alloc"));
}

}  // namespace

TEST_CASE("a small stack or a large one plays, checks and renders as any other") {
    const std::string in = scratch().file("stack.wav"), out = scratch().file("stacked.wav");
    const std::vector<float> sound(4'800, 0.1f);
    const float* const channel = sound.data();
    SoundWriter writer(in, 1, 48'000);
    writer.write(&channel, 4'800);
    writer.finish();
    for (const int kib : {64, 128, 256, 272, 512, 1024, 4096, 8192, 65'536})
        for (const std::string& arguments :
             {play, std::string("check patches/vocal.toml"),
              std::string("info models/opto-textbook.safetensors"),
              "render patches/hello.toml " + in + " -o " + out, std::string("nodes"),
              std::string("bench patches/hello.toml --seconds 0.1")}) {
            const Outcome outcome = run_after(fmt::format("ulimit -s {};", kib), arguments);
            INFO("ulimit -s " << kib << ": " << arguments << ": " << outcome.err);
            CHECK(outcome.exit_code == 0);
        }
}

TEST_CASE("SIGTERM ends a program whose parent had blocked every signal, in order") {
    const auto begin = std::chrono::steady_clock::now();
    const std::string told = scratch().file("told.txt");
    const Outcome outcome =
        run("env --block-signal bash -c '\"$0\" \"$@\" 2>" + told + " & until grep -q plays " + told +
                " || ! kill -0 $!; do sleep 0.05; done; kill -TERM $!; wait $!; code=$?; cat " + told +
                " >&2; exit $code' " + program_path(),
            "run patches/hello.toml --null --seconds 30");
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK(has(outcome.err, "played "));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(15));
}

TEST_CASE("where a user may have few threads, fewer play, or a sentence says why none does") {
    if (!can_be_nobody()) return;
    bool was_refused = false, has_played = false;
    for (const int threads : {1, 2, 3, 4, 5, 6, 7, 8, 16}) {
        const Outcome outcome = run_after(fmt::format("ulimit -u {};", threads), play, nobody);
        INFO("ulimit -u " << threads);
        check_manners(outcome);
        was_refused = was_refused || has(outcome.err, "no thread can be started");
        has_played = has_played || outcome.exit_code == 0;
    }
    CHECK(was_refused);
    CHECK(has_played);
}

TEST_CASE("without a right to locked memory it plays, and says what is missing and how to have it") {
    if (!can_be_nobody()) return;
    const Outcome outcome = run_after("ulimit -l 0;", play, nobody);
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK(has(outcome.err, "(memlock) is 0 kB"));
    CHECK(has(outcome.err, "limits.d/audio.conf"));
}

TEST_CASE("with little memory it plays, or a sentence says why not") {
    bool has_played = false;
    for (double kb = 40'000.; kb < 4e6; kb *= 1.12) {
        const Outcome outcome = run_after(fmt::format("ulimit -v {:.0f};", kb), play);
        INFO("ulimit -v " << kb);
        check_manners(outcome);
        has_played = has_played || outcome.exit_code == 0;
    }
    CHECK(has_played);
}

}  // namespace gainstage::test::limits_test
