#include "tools/gainstage/command_line.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/control/parse_command.hpp"
#include "runtime/control/session_socket.hpp"
#include "runtime/node.hpp"
#include "runtime/realtime/crew.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/described.hpp"
#include "tools/gainstage/machine_file.hpp"
#include "tools/gainstage/usage.hpp"

namespace gainstage {

namespace {

constexpr double longest_s = 1e9;  // thirty years

/// Accepts names of sessions, which are names of files.
CLI::Validator session_name() {
    return CLI::Validator(
        [](std::string& text) {
            return is_session_name(text)
                       ? std::string()
                       : fmt::format("{} was given; expected 1 to 32 letters, digits, _ and -",
                                     in_quotes(text));
        },
        "");
}

/// The command that the command line names, with its options.
using Chosen = std::function<int()>;

/// A subcommand that `run` plays with the options that `options` will then hold.
template <class Options>
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& summary, Chosen& chosen,
                      const std::shared_ptr<Options>& options, int (*run)(const Options&)) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->callback([=, &chosen] { chosen = [=] { return run(*options); }; });
    return command;
}

/// Megabytes as bytes.
void add_memory(CLI::App& command, std::size_t& most_bytes) {
    command
        .add_option_function<double>(
            "--memory",
            [&most_bytes](double megabytes) { most_bytes = static_cast<std::size_t>(megabytes * 1e6); },
            "Most memory that a patch may take, in MB; half of the machine's if it is not given")
        ->check(number_between(1., 1e9, "MB"));
}

/// The machine file stands in for what the command line does not say: CLI11 writes over it.
void take_machine(const MachineFile& machine, AudioRequest& audio) {
    if (has_errors(machine.problems)) return;
    audio.api = machine.api.value_or(audio.api);
    audio.device = machine.device.value_or(audio.device);
    audio.rate_hz = machine.rate_hz.value_or(audio.rate_hz);
    audio.block_frames = machine.block_frames.value_or(audio.block_frames);
}

void add_device(CLI::App& command, AudioRequest& audio) {
    command.add_option("--api", audio.api,
                       "Audio API: jack, alsa, pulse, core ...; through RtAudio: rtaudio-jack, rtaudio-alsa");
    command.add_option("--device", audio.device, "Audio device, by a part of its name");
    command.add_option("--in-device", audio.in_device, "Another device for the input, by a part of its name");
    command.add_option("--rate", audio.rate_hz, "Sample rate in Hz; without: the device's own")
        ->check(CLI::Range(8'000, 384'000));
    command.add_option("--block", audio.block_frames, "Frames per block; JACK decides by itself")
        ->check(CLI::Range(1, 8'192));
    command
        .add_option("--periods", audio.periods,
                    "ALSA: blocks between input and output; without: 3 for a USB card, else 2")
        ->check(CLI::Range(2, 32));
    command.add_option("--name", audio.stream_name, "Name of the JACK client")->check(server_name());
    command.add_flag_callback(
        "--no-connect", [&audio] { audio.connect = false; }, "JACK: leave the connections to you");
    command
        .add_option("--priority", audio.priority,
                    "Real-time priority of the audio thread; 0: none; JACK decides by itself")
        ->check(CLI::Range(0, 99));
}

void add_run(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<RunOptions>();
    options->machine = read_machine_file();
    LiveConfig& config = options->config;
    take_machine(options->machine, config.audio);
    if (!has_errors(options->machine.problems)) config.midi = options->machine.midi.value_or(config.midi);
    CLI::App* command = add_command(app, "run", "Play a patch live", chosen, options, run_run);
    command->add_option("patch", config.patch, "The patch (.toml)")->required()->check(file_name());
    add_device(*command, config.audio);
    command
        ->add_option("--midi", config.midi,
                     "MIDI input, by a part of its name; virtual:NAME makes one; may be repeated")
        ->allow_extra_args(false)
        ->check(server_name("virtual:"));
    command->add_flag("--null", config.null_device, "No hardware: silence in, a clock, nothing heard");
    command->add_option("--seconds", config.seconds, "End by itself after so long; 0: play on")
        ->check(number_between(0., longest_s, "seconds"));
    command->add_option("--log", config.log, "Write every event with its sample, for render --events")
        ->check(file_name());
    command
        ->add_option("--record", config.record,
                     "Record the input to a WAV, from the first sample; render repeats the take from it")
        ->check(file_name());
    command->add_flag(
        "--overwrite", config.overwrite,
        "Replace an earlier log and recording of these names; without, the new ones get a number");
    command
        ->add_option("--threads", config.threads,
                     "Threads that play branches of the patch beside each other; changes no bit of the sound")
        ->check(CLI::Range(1, Crew::max_threads));
    add_memory(*command, config.most_bytes);
    command->add_flag("--rehearse", config.rehearse,
                      "Watch the patch and its models, and take up what changes");
    command->add_flag("--commands", options->commands,
                      "Read commands from standard input, a line each; answers are JSON lines on standard "
                      "output");
    command->add_option("--session", options->session, "Name by which gainstage send reaches it")
        ->check(session_name());
    command->add_flag("--start-muted", config.start_muted,
                      "Be silent until the command: set master.mute off");
    command->add_flag("--json", options->json, "Events and status as JSON lines on standard output");
    command->footer(
        footer_of({"gainstage run patches/vocal.toml --device \"USB Audio\" --midi nanoKONTROL --rehearse",
                   "gainstage run patches/vocal.toml --record take.wav --log take.log",
                   "gainstage run patches/hello.toml --null --seconds 2",
                   "echo set trim.gain_db -6 | gainstage run patches/hello.toml --commands"},
                  {ok, usage, bad_data, not_found, no_device, internal, cannot_write, environment}) +
        "\nCtrl-C (SIGINT, SIGTERM, SIGHUP, SIGQUIT) fades out and ends; a second one ends at once.\n");
}

/// What `send` may say, a line each.
std::string commands_text() {
    std::size_t width = 0;
    for (const CommandWord& one : command_words())
        width =
            std::max(width, std::string_view(one.word).size() + 1 + std::string_view(one.arguments).size());
    std::string text = "Commands:\n";
    for (const CommandWord& one : command_words())
        text +=
            fmt::format("  {:<{}}  {}\n", fmt::format("{} {}", one.word, one.arguments), width, one.summary);
    return text;
}

void add_send(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<SendOptions>();
    CLI::App* command =
        add_command(app, "send", "Send a command to a patch that plays", chosen, options, run_send);
    command->add_option("command", options->command, "What it is to do")->required();
    command->add_option("words", options->words, "Address, value ...");
    command->add_option("--session", options->session, "Name of the session, if several run")
        ->check(session_name());
    command
        ->add_option("--wait", options->seconds, "Longest time to wait for the answer; 5 if it is not given")
        ->check(number_between(0.01, 1'000., "seconds"));
    command->add_flag("--json", options->json, "The whole answer as a line of JSON on standard output");
    command->footer(commands_text() + "\n" +
                    footer_of({"gainstage send set trim.gain_db -6", "gainstage send get trim.gain_db",
                               "gainstage send panic", "gainstage send --session monitor status"},
                              {ok, usage, bad_data, no_device, internal, cannot_write}) +
                    "\n65: the session refuses the command. 69: no such session, or no answer.\n");
}

void add_render(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<RenderOptions>();
    CLI::App* command = add_command(app, "render", "Play sound files through a patch, faster than real time",
                                    chosen, options, run_render);
    command->add_option("patch", options->patch, "The patch (.toml); with --events none is needed")
        ->check(file_name());
    command->add_option("sounds", options->in, "Sound files to play, each by itself (WAV, FLAC, AIFF ...)")
        ->check(file_name());
    command
        ->add_option("--in", options->together,
                     "CHANNEL=FILE: a file for an input channel of the patch, counted from 1; once for every "
                     "player, and all play at once")
        ->allow_extra_args(false)
        ->check(file_name());
    command
        ->add_option("-o,--output", options->out,
                     "File to write: .wav (32-bit float) or .flac (24 bits); a folder for several inputs")
        ->required()
        ->check(file_name());
    command->add_option("--block", options->block, "Frames per block; changes no bit of the result")
        ->check(CLI::Range(1, max_block_frames));
    command
        ->add_option(
            "--threads", options->threads,
            "Threads that play branches of the patch beside each other; changes no bit of the result")
        ->check(CLI::Range(1, Crew::max_threads));
    command->add_option("--midi", options->midi, "MIDI file whose messages move the patch's controllers")
        ->check(file_name());
    command
        ->add_option("--automate", options->automate,
                     "CSV of seconds,node.parameter,value, and of seconds,scene,NAME")
        ->check(file_name());
    command
        ->add_option("--scene", options->scene,
                     "Begin with this scene of the patch, by its name or its number")
        ->check(scene_name());
    command
        ->add_option("--events", options->events,
                     "Log of a live take (run --log): repeats it, with the patch and models that it played")
        ->check(file_name());
    command->add_flag(
        "--incomplete", options->incomplete,
        "Repeat a take whose log says that something is missing; it differs from what was heard");
    add_memory(*command, options->most_bytes);
    command->add_flag("--keep-latency", options->keep_latency,
                      "Leave the patch's latency at the beginning of the file");
    command->add_flag("--strict", options->strict,
                      "Refuse a file of which a part can't be read, instead of silence there; with --events, "
                      "also a sound that is not the take's recording");
    command->add_flag("--json", options->json, "One JSON object per file on standard output");
    command->add_flag("-q,--quiet", options->quiet, "No progress, no report");
    command->footer(
        footer_of({"gainstage render patches/vocal.toml voice.wav -o evened.wav",
                   "gainstage render patches/drum-bus.toml takes/*.wav -o rendered/",
                   "gainstage render patches/two-chains.toml --in 1=voice.wav --in 2=guitar.wav -o duo.wav",
                   "gainstage render take.wav --events take.log -o again.wav"},
                  {ok, usage, bad_data, not_found, internal, cannot_write, environment}));
}

void add_check(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<CheckOptions>();
    options->machine = read_machine_file();
    if (!has_errors(options->machine.problems)) {
        options->rate_hz = options->machine.rate_hz.value_or(0);
        options->block_frames = options->machine.block_frames.value_or(0);
    }
    CLI::App* command =
        add_command(app, "check", "Read and check patches, without sound", chosen, options, run_check);
    command->add_option("patch", options->patches, "Patches (.toml)")->required()->check(file_name());
    command->add_option("--rate", options->rate_hz, "Check for this sample rate, in Hz")
        ->check(number_between(8'000., 384'000., "Hz"))
        ->each([options](const std::string&) { options->rate_is_given = true; });
    command
        ->add_option("--block", options->block_frames, "Say the latency with blocks of so many frames, too")
        ->check(CLI::Range(1, 8'192))
        ->each([options](const std::string&) { options->block_is_given = true; });
    add_memory(*command, options->most_bytes);
    command->add_flag("--json", options->json, "For scripts");
    command->footer(footer_of({"gainstage check patches/*.toml", "gainstage check my-patch.toml --block 128",
                               "gainstage check my-patch.toml --rate 44100 --json"},
                              {ok, usage, bad_data, not_found, internal, cannot_write, environment}));
}

void add_devices(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<DevicesOptions>();
    options->machine = read_machine_file();
    CLI::App* command =
        add_command(app, "devices", "List audio devices and MIDI ports", chosen, options, run_devices);
    command->add_flag("--json", options->json, "For scripts");
    command->footer(footer_of({"gainstage devices", "gainstage devices --json"},
                              {ok, usage, no_device, internal, cannot_write, environment}));
}

void add_latency(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<LatencyOptions>();
    AudioRequest& audio = options->audio;
    options->machine = read_machine_file();
    take_machine(options->machine, audio);
    CLI::App* command = add_command(app, "latency", "Measure input and output through a cable between them",
                                    chosen, options, run_latency);
    command
        ->add_option("--out", options->out_channel, "Output that the cable comes from; 1 if it is not given")
        ->check(CLI::Range(1, 64));
    command->add_option("--in", options->in_channel, "Input that it goes to; 1 if it is not given")
        ->check(CLI::Range(1, 64));
    add_device(*command, audio);
    command->add_flag("--json", options->json, "For scripts");
    command->footer(footer_of({"gainstage latency --device \"USB Audio\" --block 128",
                               "gainstage latency --out 2 --in 2"},
                              {ok, usage, no_device, internal, cannot_write, environment}) +
                    "\nA chirp is played on the output, at -40 dBFS first and at -12 dBFS at last.\n");
}

void add_nodes(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<NodesOptions>();
    CLI::App* command = add_command(app, "nodes", "Show the node types: ports, knobs, units, ranges", chosen,
                                    options, run_nodes);
    command->add_option("type", options->type, "One type in full, or one knob of it: compressor.ratio");
    command->add_flag("--json", options->json, "For scripts");
    command->footer(footer_of(
        {"gainstage nodes", "gainstage nodes compressor", "gainstage nodes filter.cutoff_hz --json"},
        {ok, usage, internal, cannot_write, environment}));
}

void add_info(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<InfoOptions>();
    CLI::App* command = add_command(app, "info", "Show what a model file holds", chosen, options, run_info);
    command->add_option("model", options->model, "The model (.safetensors)")->required()->check(file_name());
    command->add_flag("--json", options->json, "For scripts");
    command->add_flag("--no-probe", options->without_probe,
                      "Don't play it: no gains at several levels, no warnings of what it does at silence");
    command->footer(footer_of({"gainstage info models/opto-s4d.safetensors",
                               "gainstage info models/opto-s4d.safetensors --no-probe --json"},
                              {ok, usage, bad_data, not_found, internal, cannot_write, environment}));
}

/// Where `bench --all` went.
[[noreturn]] void refuse_all() {
    throw CLI::ValidationError("bench --all",
                               "is gainstage-lab's: ninja -C build gainstage-lab, then "
                               "build/gainstage-lab bench --all");
}

void add_bench(CLI::App& app, Chosen& chosen) {
    const auto options = std::make_shared<BenchOptions>();
    CLI::App* command = add_command(app, "bench", "Measure what a patch or a model costs on this machine",
                                    chosen, options, run_bench);
    command->add_option("file", options->file, "A patch (.toml) or a model (.safetensors)")
        ->required()
        ->check(file_name());
    command->add_option("--rate", options->rate_hz, "Sample rate for a patch, in Hz")
        ->check(number_between(8'000., 384'000., "Hz"));
    command->add_option("--seconds", options->seconds, "Sound to play per block size and phase")
        ->check(number_between(0.1, 600., "seconds"));
    command->add_flag("--json", options->json, "For scripts");
    command->footer(footer_of({"gainstage bench patches/vocal.toml",
                               "gainstage bench models/opto-tcn.safetensors --seconds 0.5 --json"},
                              {ok, usage, bad_data, not_found, internal, cannot_write, environment}));
    command->add_flag_callback("--all", refuse_all)->trigger_on_parse()->group("");  // not in --help
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app("Gainstage plays an effects rack in a text file: trained models and plain effects",
                 "gainstage");
    app.footer(
        footer_of({"gainstage devices", "gainstage run patches/hello.toml --device \"USB Audio\" --rehearse",
                   "gainstage render patches/vocal.toml voice.wav -o evened.wav"},
                  {ok, usage, bad_data, not_found, no_device, internal, cannot_write, environment}) +
        "\nModels of your own, in Gainstage's source:\n"
        "  tools/import_model --help           converts published checkpoints\n"
        "  python3 -m gainstage_train --help   trains from recordings (in tools/)\n"
        "\nOne command in full: gainstage COMMAND --help\n");
    app.set_version_flag("--version", "gainstage " GAINSTAGE_VERSION);
    app.require_subcommand(1);
    Chosen chosen;
    for (const auto add :
         {add_run, add_send, add_render, add_check, add_devices, add_latency, add_nodes, add_info, add_bench})
        add(app, chosen);
    // For the shells' completions and the man page: no commands, so no --help lists them.
    const std::string asked = argc > 1 ? argv[1] : "";
    if (asked == "__complete") return print_completions(app, {argv + 2, argv + argc}), ok;
    if (asked == "__manual") return print_manual(app), ok;
    if (const auto code = parse(app, argc, argv)) return *code;
    return chosen();
}

}  // namespace gainstage
