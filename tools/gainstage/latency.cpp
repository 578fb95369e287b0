/// gainstage latency

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/chirp.hpp"
#include "runtime/io/heard_latency.hpp"
#include "runtime/io/round_trip.hpp"
#include "runtime/model/json_value.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

/// Somebody may wear headphones: it begins soft.
constexpr float levels_dbfs[] = {-40.f, -30.f, -20.f, -12.f};

struct Measured {
    FoundChirp chirp;
    float sent_dbfs = 0.f;
};

/// False: the device is gone.
bool take(RoundTrip& trip, AudioStream& stream, float level_dbfs) {
    trip.begin_take(std::pow(10.f, level_dbfs / 20.f));
    while (!trip.is_over()) {
        std::this_thread::sleep_for(5ms);
        if (!stream.is_running() || stream.has_stalled()) return false;
    }
    return true;
}

std::optional<Measured> measure(RoundTrip& trip, AudioStream& stream) {
    std::this_thread::sleep_for(300ms);  // outputs that mute themselves at the start
    for (const float level : levels_dbfs) {
        if (!take(trip, stream, level)) throw DeviceError("the audio device has gone away");
        if (const auto found = find_chirp(trip.chirp(), trip.heard())) return Measured{*found, level};
    }
    return {};
}

double came_back_dbfs(const Measured& measured) {
    return 20. * std::log10(std::max(measured.chirp.amplitude, 1e-9f));
}

std::string path_text(const LatencyOptions& options, const AudioFormat& format) {
    return fmt::format("output {} to input {} of {} ({}, {} Hz, {} frames)", options.out_channel,
                       options.in_channel, format.name, format.api, format.rate_hz, format.block_frames);
}

void print_text(const LatencyOptions& options, const AudioFormat& format, const Measured& measured) {
    const HeardLatency told = heard_latency(format, 0);
    const double samples = measured.chirp.at_samples, period_ms = told.ms(told.period_samples);
    const double total_ms = 1000. * samples / format.rate_hz;
    put("{}: {:.1f} samples\n", path_text(options, format), samples);
    put("{:.1f} ms: period {:.1f}, driver and cable {:.1f}; the driver says {}\n", total_ms, period_ms,
        total_ms - period_ms,
        told.driver_samples ? fmt::format("{:.1f}", told.ms(*told.driver_samples)) : "nothing");
    put("sent at {:.0f} dBFS, came back at {:.1f} dBFS{}\n", measured.sent_dbfs, came_back_dbfs(measured),
        measured.chirp.inverted ? ", with its polarity inverted" : "");
}

void print_json(const AudioFormat& format, const Measured& measured) {
    const HeardLatency told = heard_latency(format, 0);
    JsonValue json{{"api", format.api},
                   {"device", format.name},
                   {"rate_hz", format.rate_hz},
                   {"block_frames", format.block_frames},
                   {"samples", measured.chirp.at_samples},
                   {"ms", 1000. * measured.chirp.at_samples / format.rate_hz},
                   {"period_ms", told.ms(told.period_samples)},
                   {"sent_dbfs", measured.sent_dbfs},
                   {"came_back_dbfs", came_back_dbfs(measured)},
                   {"inverted", measured.chirp.inverted}};
    if (told.driver_samples) json["driver_says_ms"] = told.ms(*told.driver_samples);
    put_document(json);
}

int measure_and_print(const LatencyOptions& options) {
    AudioRequest request = options.audio;
    request.in_channels = options.in_channel;
    request.out_channels = options.out_channel;
    std::optional<RoundTrip> trip;  // outlives the device, whatever is thrown
    const std::unique_ptr<AudioStream> device = open_audio(request);
    const AudioFormat& format = device->format();
    if (!format.remark.empty()) say("{}", format.remark);
    trip.emplace(make_chirp(format.rate_hz), options.in_channel - 1, format.in_channels,
                 options.out_channel - 1, format.out_channels, format.rate_hz);
    device->start(&RoundTrip::play, &*trip);
    const std::optional<Measured> measured = measure(*trip, *device);
    device->stop();
    if (!measured)
        return fail(
            no_device,
            fmt::format("nothing came back from {}, up to {:.0f} dBFS. Is the cable in, and the input's "
                        "gain up?{}",
                        path_text(options, format), levels_dbfs[std::size(levels_dbfs) - 1],
                        options.audio.connect ? "" : " With --no-connect nothing is connected for you."));
    options.json ? print_json(format, *measured) : print_text(options, format, *measured);
    return ok;
}

}  // namespace

int run_latency(const LatencyOptions& options) {
    if (const int code = print_problems(options.machine.problems); code != ok) return code;
    try {
        return measure_and_print(options);
    } catch (const DeviceError& error) {
        return fail(no_device, error.what());
    }
}

}  // namespace gainstage
