/// Peaks, load and counters.

#include "runtime/realtime/block_meter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::meter_test {

TEST_CASE("peaks hold until they are taken, the worst load for ever") {
    BlockMeter meter(48'000.);
    const double ticks_per_block = 64. * ticks_per_second() / 48'000.;
    const auto add = [&](float peak, double load, std::uint64_t end) {
        Channel in = silence(64), out = silence(64);
        in[10] = -peak;
        out[20] = peak / 2.f;
        const float* from = in.data();
        float* to = out.data();
        meter.add({&from, 1, &to, 1, 64, end, static_cast<std::uint64_t>(load * ticks_per_block)});
    };
    add(0.5f, 0.25, 64);
    add(0.25f, 1.5, 128);
    add(0.125f, 0.5, 192);
    RoomStats& stats = meter.stats();
    CHECK(stats.in_peak[0].exchange(0.f) == 0.5f);
    CHECK(stats.out_peak[0].exchange(0.f) == 0.25f);
    CHECK(stats.in_peak[1] == 0.f);
    CHECK(stats.load == Approx(0.5f).epsilon(0.01));
    CHECK(stats.worst_load == Approx(1.5f).epsilon(0.01));
    CHECK(stats.worst_at == 128);
    CHECK(stats.late_blocks == 1);
    CHECK(stats.blocks == 3);
    CHECK(stats.frames == 192);
    CHECK(stats.worst_load_lately.exchange(0.f) == Approx(1.5f).epsilon(0.01));
    add(0.1f, 0.1, 256);
    CHECK(stats.worst_load_lately == Approx(0.1f).epsilon(0.01));
    CHECK(stats.worst_load == Approx(1.5f).epsilon(0.01));
    CHECK(stats.in_peak[0] == 0.1f);
}

TEST_CASE("the usual value is the median: rare outliers don't move it, a lasting change does") {
    RunningMedian median;
    CHECK(median.value() == 0.f);
    for (int k = 0; k < 2'000; ++k)
        median.add(k % 50 == 49 ? 30.f : 1.f + 0.001f * static_cast<float>(k % 7));
    CHECK(median.value() == Approx(1.f).epsilon(0.05));
    for (int k = 0; k < 300; ++k) median.add(4.f);
    CHECK(median.value() == Approx(4.f).epsilon(0.05));
}

TEST_CASE("all steps of a plan are timed in turn") {
    BlockMeter meter(48'000.);
    Plan plan;
    plan.steps.resize(10);
    std::vector<int> timed(10, 0);
    for (int piece_number = 0; piece_number < 6; ++piece_number) {
        Piece piece;
        meter.choose_timed(plan, piece);
        for (int step = piece.timed_begin; step < std::min(piece.timed_end, 10); ++step) ++timed[step];
    }
    CHECK(timed == std::vector<int>(10, 2));
    Plan other;
    other.steps.resize(3);
    Piece piece;
    meter.choose_timed(other, piece);
    CHECK(piece.timed_begin == 0);
}

}  // namespace gainstage::test::meter_test
