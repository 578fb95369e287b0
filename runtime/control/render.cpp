#include "runtime/control/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "runtime/control/realtime_rights.hpp"
#include "runtime/engine/sound_print.hpp"
#include "runtime/io/sound_file.hpp"
#include "runtime/numbers.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

/// Peak and RMS over all channels, of the samples that are numbers.
class Level {
public:
    void add(const std::vector<std::vector<float>>& sound, int from, int frames) {
        for (const auto& channel : sound)
            for (int k = from; k < from + frames; ++k) {
                const double x = channel[k];
                if (!std::isfinite(x)) continue;
                peak_ = std::max(peak_, std::abs(x));
                energy_ += x * x;
                ++count_;
            }
    }
    double peak_db() const { return db(peak_); }
    double rms_db() const { return db(std::sqrt(energy_ / std::max(count_, 1.))); }

private:
    static double db(double amplitude) { return 20. * std::log10(std::max(amplitude, 6.3e-8)); }
    double peak_ = 0., energy_ = 0., count_ = 0.;
};

std::vector<SoundInput> sources_of(const RenderJob& job) {
    return job.together.empty() ? std::vector<SoundInput>{{.file = job.in}} : job.together;
}

/// The sample of the last thing that happened in a take.
std::uint64_t end_of(const Take& take) {
    std::uint64_t end = take.changes.empty() ? 0 : take.changes.back().order.stamp;
    if (!take.events.empty()) end = std::max(end, take.events.back().event.stamp);
    return end;
}

std::vector<float*> pointers(std::vector<std::vector<float>>& sound) {
    std::vector<float*> result;
    for (auto& channel : sound) result.push_back(channel.data());
    return result;
}

class Renderer {
public:
    Renderer(const RenderJob& job, NodeTypes types, const std::function<void(double)>& progress)
        : job_(job),
          progress_(progress),
          reader_(sources_of(job)),
          rate_hz_(reader_.format().rate_hz),
          loader_(types, rate_hz_),
          stream_({.sample_rate_hz = static_cast<double>(rate_hz_),
                   .max_frames = job.block_frames,
                   .midi_ports = 0,
                   .in_channels = reader_.format().channels,
                   .crew = {.threads = std::min(job.threads, usable_cores())}},
                  loader_, job.most_bytes ? job.most_bytes : half_of_memory()) {
        stream_.engine().listen([this](const EngineNews& news) { hear(news); });
        if (const Crew* crew = stream_.engine().room().crew(); crew && !crew->shortage().empty())
            report_.news.push_back(crew->shortage());
    }

    /// Throws SoundFileError, WriteError.
    RenderReport run() {
        const auto begin = std::chrono::steady_clock::now();
        report_.rate_hz = rate_hz_;
        report_.problems = start();
        if (has_errors(report_.problems)) return std::move(report_);
        add_events();
        if (has_errors(report_.problems)) return std::move(report_);
        keep_inputs();
        play();
        report_.elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        return std::move(report_);
    }

private:
    void hear(const EngineNews& news) {
        using Kind = EngineNews::Kind;
        if (news.kind == Kind::event || news.kind == Kind::started || news.kind == Kind::finished ||
            news.kind == Kind::silent || news.kind == Kind::guarded ||
            (news.kind == Kind::failed && news.problem))
            return;  // a failed patch is among the problems; guards are told of at the end
        report_.news.push_back(
            fmt::format("{:.3f} s: {}", static_cast<double>(news.stamp) / rate_hz_, news.text));
    }

    Problems start() {
        if (job_.take) {
            if (job_.take->sample_rate_hz != rate_hz_)
                return {{.file = job_.in,
                         .place = {},
                         .key = {},
                         .message = fmt::format("has {} Hz, but the take was played at {:g} Hz; only sound "
                                                "of that rate repeats it bit for bit",
                                                rate_hz_, job_.take->sample_rate_hz)}};
            if (const auto problem = too_short_for_take()) return {*problem};
            Problems problems = stream_.start(*job_.take);
            if (!has_errors(problems)) find_channels(stream_.engine().playing()->graph);
            return problems;
        }
        Resolved resolved = loader_.load(job_.patch);
        if (!resolved.graph) return resolved.problems;
        find_channels(*resolved.graph);
        if (auto problem = begin_with_scene(*resolved.graph)) return {*problem};
        Problems problems = stream_.start(std::move(*resolved.graph));
        problems.insert(problems.begin(), resolved.problems.begin(), resolved.problems.end());
        return problems;
    }

    std::optional<Problem> begin_with_scene(Graph& graph) const {
        if (job_.scene.empty()) return std::nullopt;
        const FoundTarget found = find_scene(graph, job_.scene);
        const bool is_named = found.target && found.target->kind == TargetKind::scene_named;
        if (is_named) begin_with(graph, found.target->param);
        if (is_named) return std::nullopt;
        return Problem{.file = job_.patch,
                       .place = {},
                       .key = "scene",
                       .message = found.target ? "a render begins with a scene of its name or its number"
                                               : found.problem};
    }

    /// An input that ends before the last thing that happened is another one.
    std::optional<Problem> too_short_for_take() const {
        const std::int64_t frames = reader_.format().frames;
        const std::uint64_t end = end_of(*job_.take);
        if (job_.incomplete || frames < 0 || static_cast<std::uint64_t>(frames) >= end) return std::nullopt;
        return Problem{.file = job_.in,
                       .place = {},
                       .key = {},
                       .message = fmt::format(
                           "is {:.2f} s long, but the take goes on to {:.2f} s; expected the "
                           "recording of that take (run --record). --incomplete repeats what "
                           "there is of it",
                           static_cast<double>(frames) / rate_hz_, static_cast<double>(end) / rate_hz_)};
    }

    void find_channels(const Graph& graph) {
        out_channels_ = std::max(1, channels_used(graph, Door::out));
        const int wanted = channels_used(graph, Door::in), there = reader_.format().channels;
        if (there < wanted)
            report_.news.push_back(
                fmt::format("{}: has {} channel(s), the patch reads {}; the missing ones are silent", job_.in,
                            there, wanted));
        report_.out_channels = out_channels_;
        report_.latency_samples =
            stream_.engine().playing() ? stream_.engine().playing()->latency_samples : 0;
    }

    std::uint64_t stamp(double seconds) const {
        return whole_within(seconds * rate_hz_, std::uint64_t{0}, std::uint64_t{1} << 62);
    }

    void add_events() {
        std::vector<Event> events;
        for (const TimedMidi& midi : job_.midi)
            events.push_back({.kind = EventKind::midi, .midi = midi.message, .stamp = stamp(midi.seconds)});
        const Arrangement& playing = *stream_.engine().playing();
        report_.latency_samples = playing.latency_samples;
        for (const AutomationMove& move : job_.automation) {
            if (const auto knob = master_knob_of(move.target)) {
                add_master_move(events, move, *knob);
                continue;
            }
            const FoundTarget found = move.target == "scene" ? find_scene(playing.graph, move.scene)
                                                             : find_target(playing.graph, move.target);
            if (!found.target) {
                report_.problems.push_back({.file = job_.automation_file,
                                            .place = move.place,
                                            .key = move.target,
                                            .message = found.problem});
                continue;
            }
            Event event = stream_.engine().event_for(*found.target, move.value);
            event.stamp = stamp(move.seconds);
            events.push_back(event);
        }
        std::stable_sort(events.begin(), events.end(),
                         [](const Event& a, const Event& b) { return a.stamp < b.stamp; });
        for (const Event& event : events) stream_.add(event);
    }

    void add_master_move(std::vector<Event>& events, const AutomationMove& move, MasterKnob knob) {
        const ParamSpec& spec = master_specs()[static_cast<int>(knob)];
        if (move.value >= spec.min && move.value <= spec.max)
            return events.push_back({.kind = EventKind::master,
                                     .param = static_cast<std::int32_t>(knob),
                                     .value = move.value,
                                     .stamp = stamp(move.seconds)});
        report_.problems.push_back(
            {.file = job_.automation_file,
             .place = move.place,
             .key = move.target,
             .message = fmt::format("goes from {} to {}, not to {}", spec.min, spec.max, move.value)});
    }

    /// Passes on what the reader has found out about the file. Throws SoundFileError for what must not be
    /// played.
    void tell_news() {
        const auto& news = reader_.news();
        for (; told_ < news.size(); ++told_) {
            const auto& [kind, text, cause] = news[told_];
            using Kind = SoundNews::Kind;
            const bool is_silenced = kind == Kind::bad_samples && !job_.take;
            if (job_.strict && (kind == Kind::lost || is_silenced))
                throw SoundFileError(cause + "; refused, as --strict asks", sysexits::bad_data);
            // A take is repeated whatever its input was.
            if (kind == Kind::no_sound && !job_.take) throw SoundFileError(cause, sysexits::bad_data);
            report_.news.push_back(is_silenced ? text + "; silence instead" : text);
        }
    }

    /// Samples that can't be sound would throw the first node into quarantine, which is no fault of its. A
    /// take is repeated whatever its input was.
    void silence_bad_samples(std::vector<std::vector<float>>& sound, int frames) const {
        if (job_.take) return;
        for (auto& channel : sound)
            for (float& x : std::span(channel).first(static_cast<std::size_t>(frames)))
                x = is_sound(x) ? x : 0.f;  // no branch: vector instructions do it
    }

    /// Lists of moves of which none can be heard.
    void tell_idle_lists() {
        const auto tell = [this](const std::string& file, bool is_empty, double first_s, const char* what) {
            if (file.empty()) return;
            if (is_empty)
                report_.news.push_back(fmt::format("{}: holds no {}: it moves nothing", file, what));
            else if (first_s >= report_.seconds)
                report_.news.push_back(
                    fmt::format("{}: begins at {:.3f} s, after the end of {} ({:.3f} s): it moves nothing",
                                file, first_s, job_.in, report_.seconds));
        };
        tell(job_.automation_file, job_.automation.empty(),
             job_.automation.empty() ? 0. : job_.automation.front().seconds,
             "line of seconds,node.parameter,value");
        tell(job_.midi_file, job_.midi.empty(), job_.midi.empty() ? 0. : job_.midi.front().seconds,
             "message of a MIDI channel");
    }

    /// What the guards of the outputs did to the sound.
    void tell_guards() {
        for (const OutputReports::Total& total : stream_.engine().guarded()) {
            const auto first_s = static_cast<double>(total.first) / rate_hz_;
            if (total.peak > 0.f)
                report_.news.push_back(
                    fmt::format("{}: rose to {:.1f} dB above 0 dBFS, first at {:.3f} s, and was turned down "
                                "for {:.3f} s; "
                                "with guard = \"off\" it is written as it is",
                                total.node, 20. * std::log10(double{total.peak}), first_s, total.softened_s));
            if (total.not_numbers > 0)
                report_.news.push_back(
                    fmt::format("{}: {} sample(s) were no numbers; silence was written in their place",
                                total.node, total.not_numbers));
        }
    }

    /// Throws before anything is written.
    void keep_inputs() {
        std::vector<std::string> outputs = job_.outputs, inputs = job_.inputs;
        if (outputs.empty()) outputs = {job_.out};
        inputs.insert(inputs.end(), {job_.patch, job_.automation_file, job_.midi_file});
        for (const SoundInput& source : sources_of(job_)) inputs.push_back(source.file);
        const std::vector<std::string>& files = stream_.engine().playing()->graph.files;
        inputs.insert(inputs.end(), files.begin(), files.end());
        if (job_.take)  // its patches and models play from the log, and are the user's all the same
            for (const LoggedChange& change : job_.take->changes) {
                if (change.has_patch) inputs.push_back(change.patch.file);
                for (const auto& [path, bytes] : change.patch.models) inputs.push_back(path);
            }
        must_differ(outputs, inputs);
    }

    /// Once a block. An edit of a take may bring nodes and take others away.
    void take_readings() {
        const Arrangement* playing = stream_.engine().playing();
        if (!playing) return;
        std::size_t at = 0;
        for (const auto& slot : playing->slots)
            for (std::size_t r = 0; r < slot->readings.size(); ++r)
                if (const float value = slot->readings[r].load(std::memory_order_relaxed); !std::isnan(value))
                    take_reading(at++, slot->description.id, slot->description.type->readings[r], value);
    }
    /// `expected`: where it stands in the report, unless an edit has changed the nodes.
    void take_reading(std::size_t expected, const std::string& node, const ReadingSpec& reading,
                      float value) {
        auto& all = report_.readings;
        const auto is_it = [&](const ReadingRange& other) {
            return other.node == node && other.name == reading.name;
        };
        auto range = expected < all.size() && is_it(all[expected])
                         ? all.begin() + static_cast<std::ptrdiff_t>(expected)
                         : std::find_if(all.begin(), all.end(), is_it);
        if (range == all.end())
            range = all.insert(
                range,
                {.node = node, .name = reading.name, .unit = reading.unit, .least = value, .most = value});
        range->least = std::min(range->least, value);
        range->most = std::max(range->most, value);
        range->last = value;
    }

    /// A take may be played over another sound on purpose, so this is no error. With --strict it is.
    void tell_of_other_sound() {
        if (!job_.take || !job_.take->recording) return;
        const TakeRecording& recording = *job_.take->recording;
        const TakeRecording played{
            .frames = print_.frames(), .channels = reader_.format().channels, .print = print_.value()};
        if (played == recording) return;
        const std::string what =
            played.channels != recording.channels
                ? fmt::format("has {} channel(s), the recording has {}", played.channels, recording.channels)
            : played.frames != recording.frames
                ? fmt::format("is {:.3f} s long, the recording {:.3f} s",
                              static_cast<double>(played.frames) / rate_hz_,
                              static_cast<double>(recording.frames) / rate_hz_)
                : std::string("has other samples");
        const std::string text = fmt::format("{}: is not the recording of this take: it {}", job_.in, what);
        if (job_.strict) throw SoundFileError(text + "; refused, as --strict asks", sysexits::bad_data);
        report_.news.push_back(text + "; what happened in the take happens to this sound");
    }

    /// The file's frames, then silence until the latency has come out.
    void play() {
        SoundWriter writer(job_.out, out_channels_, rate_hz_,
                           {.file = {}, .frames = reader_.format().frames});
        const auto block = static_cast<std::size_t>(job_.block_frames);
        std::vector<std::vector<float>> in(static_cast<std::size_t>(reader_.format().channels),
                                           std::vector<float>(block));
        std::vector<std::vector<float>> out(static_cast<std::size_t>(out_channels_),
                                            std::vector<float>(block));
        const std::vector<float*> to_read = pointers(in), to_play = pointers(out);
        const std::vector<const float*> from(to_read.begin(), to_read.end());
        std::int64_t read_total = 0, skip = job_.keep_latency ? 0 : report_.latency_samples, written = 0;
        Level in_level, out_level;
        bool more = true;
        while (more || written < read_total) {
            const int got = more ? reader_.read_as_promised(to_read.data(), job_.block_frames) : 0;
            tell_news();
            more = got == job_.block_frames;
            read_total += got;
            if (job_.take) print_.add(to_read.data(), reader_.format().channels, got);
            silence_bad_samples(in, got);
            in_level.add(in, 0, got);
            for (auto& channel : in) std::fill(channel.begin() + got, channel.end(), 0.f);
            const int wanted = more ? job_.block_frames
                                    : static_cast<int>(std::min<std::int64_t>(job_.block_frames,
                                                                              read_total + skip - written));
            if (wanted <= 0) break;
            stream_.process(from.data(), static_cast<int>(from.size()), to_play.data(), out_channels_,
                            wanted);
            take_readings();
            const int dropped = static_cast<int>(std::min<std::int64_t>(skip, wanted));
            skip -= dropped;
            const int count =
                static_cast<int>(std::min<std::int64_t>(wanted - dropped, read_total - written));
            out_level.add(out, dropped, count);
            write(writer, out, dropped, count);
            written += count;
            if (progress_ && reader_.format().frames > 0)
                progress_(static_cast<double>(written) / static_cast<double>(reader_.format().frames));
        }
        tell_of_other_sound();
        if (const std::string place = writer.finish(); place != job_.out)
            report_.news.push_back(
                fmt::format("{}: its folder was moved; the file is now {}", job_.out, place));
        if (writer.cut_off() > 0)
            report_.news.push_back(fmt::format(
                "{}: {} sample(s) were beyond full scale and are cut off there; a WAV would hold them",
                job_.out, writer.cut_off()));
        report_.seconds = static_cast<double>(read_total) / rate_hz_;
        report_.unreadable_s = reader_.lost_seconds();
        tell_idle_lists();
        tell_guards();
        report_.in_peak_db = in_level.peak_db();
        report_.in_rms_db = in_level.rms_db();
        report_.out_peak_db = out_level.peak_db();
        report_.out_rms_db = out_level.rms_db();
        report_.problems.insert(report_.problems.end(), stream_.problems().begin(), stream_.problems().end());
    }

    static void write(SoundWriter& writer, const std::vector<std::vector<float>>& sound, int from,
                      int frames) {
        std::vector<const float*> channels;
        for (const auto& channel : sound) channels.push_back(channel.data() + from);
        if (frames > 0) writer.write(channels.data(), frames);
    }

    const RenderJob& job_;
    const std::function<void(double)>& progress_;
    SoundInputs reader_;
    const int rate_hz_;
    PatchLoader loader_;
    OfflineStream stream_;
    int out_channels_ = 1;
    SoundPrint print_;      // of what was read, for a take
    std::size_t told_ = 0;  // of the reader's news
    RenderReport report_;
};

}  // namespace

RenderReport render(const RenderJob& job, NodeTypes types, const std::function<void(double)>& progress) {
    return Renderer(job, types, progress).run();
}

}  // namespace gainstage
