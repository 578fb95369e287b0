/// gainstage render PATCH IN... -o OUT

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "nodes/all_nodes.hpp"
#include "runtime/control/end_signals.hpp"
#include "runtime/control/render.hpp"
#include "runtime/folder_names.hpp"
#include "runtime/io/sound_file.hpp"
#include "runtime/plain_text.hpp"
#include "runtime/thread.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/live_display.hpp"
#include "tools/gainstage/shipped.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

/// A bar on a terminal, nothing elsewhere.
class ProgressBar {
public:
    ProgressBar(const std::string& name, bool quiet)
        : name_(plain_line(name)), shown_(!quiet && isatty(STDERR_FILENO)) {}
    ~ProgressBar() {
        if (shown_) draw("\r\033[K");
    }
    void show(double part) {
        const int percent = static_cast<int>(std::clamp(part, 0., 1.) * 100.);
        if (!shown_ || percent == percent_) return;
        percent_ = percent;
        draw(formatted("\r\033[K{} [{:<30}] {:3d} %", name_,
                       std::string(static_cast<std::size_t>(percent * 30 / 100), '='), percent));
    }

private:
    const std::string name_;
    const bool shown_;
    int percent_ = -1;
};

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Several inputs need a folder, and "out.wav" is meant as a file.
void check_folder(const RenderOptions& options) {
    const fs::path out = options.out;
    std::error_code error;  // a name that can't be looked at is told when it is written
    if (fs::is_directory(out, error)) return;
    if (fs::exists(out, error) || names_sound_file(options.out))
        throw UsageError(
            fmt::format("-o {}: {} inputs need a folder, for each is rendered by itself, and that is a file; "
                        "name a folder. "
                        "Two players at once are named by their channels: --in 1={} --in 2={}",
                        options.out, options.in.size(), options.in[0], options.in[1]));
}

/// Where each input's output goes: OUT itself for one input, files of the same names in the folder OUT for
/// several.
std::vector<std::string> outputs(const RenderOptions& options) {
    std::error_code error;
    if (!options.together.empty()) return {options.out};
    if (options.in.size() == 1 && !fs::is_directory(options.out, error)) return {options.out};
    check_folder(options);
    make_folders(options.out);
    std::vector<std::string> files;
    for (const std::string& in : options.in) {
        const std::string file = (fs::path(options.out) / fs::path(in).stem()).string() + ".wav";
        if (std::find(files.begin(), files.end(), file) != files.end())
            throw WriteError(fmt::format(
                "{}: two inputs of this name would write one file; render them into different folders",
                file));
        files.push_back(file);
    }
    return files;
}

/// All files that the user names for reading, and the models beside a take's log.
std::vector<std::string> inputs(const RenderOptions& options) {
    std::vector<std::string> files = options.in;
    for (const std::string& text : options.together) files.push_back(parse_sound_input(text).file);
    files.insert(files.end(), {options.patch, options.midi, options.automate, options.events});
    if (options.events.empty()) return files;
    const std::string models = kept_models_folder(options.events);
    for (const std::string& name : names_in(models)) files.push_back(models + "/" + name);
    return files;
}

/// A patch of many nodes may have news of each.
void print_news(const std::vector<std::string>& all) {
    constexpr std::size_t most = 10;
    for (std::size_t k = 0; k < all.size() && k < most; ++k) say("{}", all[k]);
    if (all.size() > most) say("and {} more; render --json lists them", all.size() - most);
}

/// "safety reduction up to 3.2 dB; level peak up to -6.0 dBFS". Of a reduction the largest, else the highest.
std::string readings_text(const std::vector<ReadingRange>& readings) {
    constexpr std::size_t most = 8;
    std::string text;
    std::size_t count = 0;
    for (const ReadingRange& reading : readings) {
        const float largest = std::max(std::abs(reading.least), std::abs(reading.most));
        const bool is_reduction = reading.name == "gain_reduction_db";
        if ((is_reduction && largest < 0.05f) || count++ >= most) continue;
        text += fmt::format("{}{} {} up to {:.1f} {}", text.empty() ? "" : "; ", plain_line(reading.node),
                            plain_line(short_name(reading.name)), is_reduction ? largest : reading.most,
                            reading.unit);
    }
    if (count > most) text += fmt::format("; and {} more (--json lists them)", count - most);
    return text;
}

nlohmann::json json_of(const std::vector<ReadingRange>& readings) {
    nlohmann::json list = nlohmann::json::array();
    for (const ReadingRange& reading : readings)
        list.push_back({{"node", reading.node},
                        {"name", reading.name},
                        {"unit", reading.unit},
                        {"least", reading.least},
                        {"most", reading.most},
                        {"last", reading.last}});
    return list;
}

void print_report(const RenderOptions& options, const RenderJob& job, const RenderReport& report) {
    if (options.json) {
        put_json(nlohmann::json{{"patch", job.patch},
                                {"in", job.in},
                                {"out", job.out},
                                {"seconds", report.seconds},
                                {"elapsed_s", report.elapsed_s},
                                {"rate_hz", report.rate_hz},
                                {"channels", report.out_channels},
                                {"unreadable_s", report.unreadable_s},
                                {"latency_samples", report.latency_samples},
                                {"in_peak_dbfs", report.in_peak_db},
                                {"out_peak_dbfs", report.out_peak_db},
                                {"in_rms_dbfs", report.in_rms_db},
                                {"out_rms_dbfs", report.out_rms_db},
                                {"readings", json_of(report.readings)},
                                {"news", report.news}},
                 -1);
        return;
    }
    print_news(report.news);
    if (!options.quiet)
        put("{}: {:.1f} s in {:.2f} s; peak {:.1f} -> {:.1f} dBFS, RMS {:.1f} -> {:.1f} dBFS\n", job.out,
            report.seconds, report.elapsed_s, report.in_peak_db, report.out_peak_db, report.in_rms_db,
            report.out_rms_db);
    if (const std::string readings = readings_text(report.readings); !options.quiet && !readings.empty())
        put("  {}\n", readings);
}

/// What all inputs share.
int read_lists(const RenderOptions& options, RenderJob& job) {
    if (!options.midi.empty()) {
        MidiFile midi = read_midi_file(options.midi);
        for (const std::string& note : midi.notes) say("{} (note)", note);
        job.midi = std::move(midi.messages);
        job.midi_file = options.midi;
    }
    if (!options.events.empty()) {
        job.take = read_take(options.events);
        if (!options.incomplete) must_be_whole(*job.take, options.events);
        if (!options.patch.empty())
            say("{}: not played, for {} brings the patch that was (note)", options.patch, options.events);
        if (!job.take->losses.empty()) say("{}: {} (note)", options.events, text_of_losses(*job.take));
    }
    if (options.automate.empty()) return ok;
    Automation automation = read_automation_file(options.automate);
    job.automation = std::move(automation.moves);
    job.automation_file = options.automate;
    return print_problems(automation.problems);
}

/// Ends the process as the signal would have done, so that a shell's loop ends too.
int end_by(int number) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return cannot_write;
}

/// Thrown out of a render, so that what it was writing is taken away again.
struct Interrupted {
    int number = 0;  ///< the signal
};

RenderReport interruptible(const RenderJob& job, ProgressBar& bar) {
    const EndSignals signals(false);
    signals.set_sudden_end(cannot_write);
    return render(job, all_nodes(), [&](double part) {
        if (signals.count() > 0) throw Interrupted{signals.number()};
        bar.show(part);
    });
}

/// Renders job.in. Returns the exit code of a fault of this input alone; a fault of the patch or of the
/// output, which every input would have, is returned in `code_for_all`.
int render_one(const RenderOptions& options, const RenderJob& job, int& code_for_all) {
    try {
        ProgressBar bar(job.in, options.quiet || options.json);
        const RenderReport report = interruptible(job, bar);
        const int code = print_problems(report.problems);
        if (code == ok) print_report(options, job, report);
        const bool is_of_input = !report.problems.empty() && report.problems.front().file == job.in;
        if (code != ok && !is_of_input) code_for_all = code;
        return code;
    } catch (const SoundFileError& error) {
        return fail(error.exit_code, error.what());
    }
}

void name_together(const RenderOptions& options, RenderJob& job) {
    for (const std::string& text : options.together) {
        job.together.push_back(parse_sound_input(text));
        job.in += (job.in.empty() ? "" : " and ") + job.together.back().file;
    }
}

/// A file that can't be read leaves the others to be rendered. Returns the first fault's code.
int render_all(const RenderOptions& options) {
    RenderJob job{.patch = options.patch,
                  .in = {},
                  .out = {},
                  .block_frames = options.block,
                  .threads = options.threads,
                  .most_bytes = options.most_bytes,
                  .keep_latency = options.keep_latency,
                  .strict = options.strict,
                  .midi = {},
                  .automation = {},
                  .midi_file = {},
                  .automation_file = {},
                  .scene = options.scene,
                  .take = {},
                  .incomplete = options.incomplete,
                  .inputs = inputs(options),
                  .outputs = {}};
    if (const int code = read_lists(options, job); code != ok) return code;
    const std::vector<std::string> out = job.outputs = outputs(options);
    for (const std::string& note : notes_on_loose_folders(out)) say("{} (note)", note);
    int first_code = ok, code_for_all = ok;
    if (!options.together.empty()) {
        name_together(options, job);
        job.out = out.front();
        return render_one(options, job, code_for_all);
    }
    for (std::size_t i = 0; i < options.in.size() && code_for_all == ok; ++i) {
        job.in = options.in[i];
        job.out = out[i];
        const int code = render_one(options, job, code_for_all);
        if (first_code == ok) first_code = code;
    }
    return first_code;
}

/// Whether the first word, in the place of the patch, is a sound: a file that no patch has the name of, or
/// the only word there is.
bool is_sound(const RenderOptions& options) {
    std::error_code error;
    if (fs::path(options.patch).extension() == ".toml") return false;
    return (options.in.empty() && options.together.empty()) || fs::is_regular_file(options.patch, error);
}

void check_together(const RenderOptions& options) {
    for (const std::string& text : options.together) try {
            parse_sound_input(text);
        } catch (const std::invalid_argument& error) {
            throw UsageError(fmt::format("--in: {}", error.what()));
        }
}

/// A take brings its own patch, so that the first file may be a sound already.
RenderOptions settled(RenderOptions options) {
    if (!options.events.empty() && !options.patch.empty() && is_sound(options))
        options.in.insert(options.in.begin(), std::exchange(options.patch, {}));
    if (options.patch.empty() && options.events.empty())
        throw UsageError("there is no patch to play through: gainstage render PATCH voice.wav -o OUT.wav");
    if (!options.events.empty() && !options.scene.empty())
        throw UsageError("--scene: a take begins as it began; leave it out beside --events");
    check_together(options);
    if (options.in.empty() && options.together.empty())
        throw UsageError(options.events.empty()
                             ? "there is no sound file to play; name one after the patch: gainstage render "
                               "PATCH voice.wav -o OUT.wav"
                             : "there is no recording to repeat the take from; name it: gainstage render "
                               "take.wav --events take.log -o OUT.wav");
    if (!options.in.empty() && !options.together.empty())
        throw UsageError(
            fmt::format("{} has no channel beside --in; give every file one: --in 1=FILE --in 2=FILE",
                        options.in.front()));
    return options;
}

}  // namespace

int run_render(const RenderOptions& options) {
    try {
        RenderOptions meant = settled(options);
        if (!meant.patch.empty()) {
            const auto [patch, fault] = meant_file(meant.patch, {Shipped::patch});
            // A take holds its patch, so the file may be gone.
            if (!fault.empty() && meant.events.empty()) return fail(not_found, meant.patch + ": " + fault);
            meant.patch = patch;
        }
        return render_all(meant);
    } catch (const Interrupted& end) {
        return end_by(end.number);
    } catch (const UsageError& error) {
        return fail(usage, error.what());
    } catch (const MidiFileError& error) {
        return fail(error.exit_code, error.what());
    } catch (const TakeError& error) {
        return fail(error.exit_code, error.what());
    } catch (const WriteError& error) {
        return fail(cannot_write, error.what());
    } catch (const fs::filesystem_error& error) {
        return fail(cannot_write, error.what());
    } catch (const NoThread& error) {
        return fail(environment, error.what());
    } catch (const std::runtime_error& error) {
        return fail(bad_data, error.what());
    }
}

}  // namespace gainstage
