#include "nodes/effects/delay.hpp"

#include <cmath>
#include <utility>

namespace gainstage {

const NodeType& Delay::type() {
    static const NodeType type{
        .name = "delay",
        .summary = "The same sound, later; a loop of cables must run through one",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "delay_ms",
                    .unit = "ms",
                    .min = 0.f,
                    .max = longest_ms,
                    .start = 250.f,
                    .summary =
                        "rounded to whole samples; smooth_ms is the fade from the old time to the new"}},
        .options = {{.name = "delay_samples",
                     .kind = OptionKind::integer,
                     .start = "0",
                     .min = 0.,
                     .max = longest_fixed_samples,
                     .summary = "exactly so many samples instead of delay_ms; 0: delay_ms counts",
                     .replaces = "delay_ms"},
                    {.name = "longest_ms",
                     .kind = OptionKind::number,
                     .start = "2000",
                     .min = 1.,
                     .max = longest_ms,
                     .summary = "delay_ms reaches no further; less takes less memory. With delay_samples it "
                                "does not count"}},
        .closes_loops = true,
        .make = make_node<Delay>,
    };
    return type;
}

Delay::Delay(const Setup& setup)
    : channels_(setup.channels),
      samples_per_ms_(setup.sample_rate_hz / 1000.),
      fixed_samples_(static_cast<int>(setup.options.get<std::int64_t>("delay_samples"))),
      loop_latency_(setup.loop_latency_samples),
      longest_(fixed_samples_ > 0 ? fixed_samples_
                                  : static_cast<int>(std::lround(setup.options.get<double>("longest_ms") *
                                                                 samples_per_ms_))),
      lines_(static_cast<std::size_t>(channels_), DelayLine(longest_, setup.max_frames)) {
    const int wanted = samples_of(setup.start.at(delay_ms)) + loop_latency_;
    if (loop_latency_ > 0 && wanted - loop_latency_ < 1)
        throw SetupError(
            "delay: " + std::to_string(wanted) + " samples are too short for a loop whose other nodes take " +
            std::to_string(loop_latency_) + "; expected at least " + std::to_string(loop_latency_ + 1) +
            ": make the delay longer, or take the node with latency out of the loop");
}

int Delay::samples_of(float ms) const noexcept {
    const int wanted =
        fixed_samples_ > 0 ? fixed_samples_ : static_cast<int>(std::lround(double{ms} * samples_per_ms_));
    return std::clamp(wanted, 0, longest_) - loop_latency_;
}

void Delay::choose_taps(const Ramp& knob, std::uint64_t time) noexcept {
    const int wanted = samples_of(knob.to);
    if (!taps_.chosen) {
        taps_ = {.chosen = true, .from = samples_of(knob.from), .to = wanted, .fade = settled(1.f)};
        if (knob.moving(time))
            taps_.fade = {.start = knob.start, .length = knob.length, .from = 0.f, .to = 1.f};
    } else if (!taps_.fade.moving(time) && wanted != taps_.to) {
        taps_.from = std::exchange(taps_.to, wanted);
        taps_.fade = {.start = time, .length = knob.length, .from = 0.f, .to = 1.f};
    }
}

void Delay::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const std::int64_t first = lines_[0].written();
    absorb(block);
    read(block, first, 0);
}

void Delay::emit(const Block& block) noexcept GAINSTAGE_REALTIME {
    read(block, lines_[0].written(), 1);
}

void Delay::absorb(const Block& block) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < channels_; ++c) lines_[c].write(block.in(0, c), block.frames);
}

/// In pieces that end where a fade ends: the next fade may begin there.
void Delay::read(const Block& block, std::int64_t first, int least_delay) noexcept {
    for (int done = 0; done < block.frames;) {
        const std::uint64_t time = block.time + done;
        choose_taps(block.param(delay_ms), time);
        if (!taps_.fade.moving(time))
            return read_plain(block, done, block.frames, first, std::max(taps_.to, least_delay));
        const auto left = static_cast<std::int64_t>(taps_.fade.start + taps_.fade.length - time);
        const int end = done + static_cast<int>(std::min<std::int64_t>(left, block.frames - done));
        read_fading(block, done, end, first, least_delay);
        done = end;
    }
}

void Delay::read_plain(const Block& block, int begin, int end, std::int64_t first, int delay) noexcept {
    for (int c = 0; c < channels_; ++c)
        lines_[c].read(first + begin - delay, end - begin, block.out(0, c) + begin);
}

void Delay::read_fading(const Block& block, int begin, int end, std::int64_t first,
                        int least_delay) noexcept {
    const std::int64_t from = first - std::max(taps_.from, least_delay),
                       to = first - std::max(taps_.to, least_delay);
    for (int c = 0; c < channels_; ++c) {
        const DelayLine& line = lines_[c];
        float* out = block.out(0, c);
        for (int k = begin; k < end; ++k) {
            const float x = taps_.fade.at(block.time + k),
                        share = x * x * (3.f - 2.f * x);  // no corner at the ends
            const float old = line.at(from + k);
            out[k] = old + (line.at(to + k) - old) * share;
        }
    }
}

/// The shortest tap that may be heard from `time` on if the knob does not move again.
int Delay::shortest_delay_samples(const Ramp* params, std::uint64_t time) const noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = params[delay_ms];
    int shortest = samples_of(knob.to);
    if (!taps_.chosen && knob.moving(time)) shortest = std::min(shortest, samples_of(knob.from));
    if (taps_.chosen) shortest = std::min(shortest, taps_.to);
    if (taps_.fade.moving(time)) shortest = std::min(shortest, taps_.from);
    return std::max(shortest, 1);
}

}  // namespace gainstage
