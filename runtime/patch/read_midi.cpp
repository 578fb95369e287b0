#include <array>

#include "runtime/numbers.hpp"
#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

const Names keys{"channel", "cc",   "cc14", "nrpn", "pitchbend", "note",  "program",  "order",    "mode",
                 "target",  "from", "to",   "min",  "max",       "curve", "takeover", "smooth_ms"};
const Names orders{"msb_first", "lsb_first"};
const Names modes{"absolute",  "relative-2c", "relative-offset64", "relative-signbit", "toggle",
                  "momentary", "trigger"};
const Names curves{"linear", "log", "exp", "s"};
const Names takeovers{"jump", "pickup", "scale"};

struct Source {
    std::string_view key;
    MidiSource source;
    int highest;  ///< number; 0: it has none
};
constexpr std::array sources{
    Source{"cc", MidiSource::cc, 127},        Source{"cc14", MidiSource::cc14, 31},
    Source{"nrpn", MidiSource::nrpn, 16'383}, Source{"pitchbend", MidiSource::pitchbend, 0},
    Source{"note", MidiSource::note, 127},    Source{"program", MidiSource::program, 0}};

bool is_relative(MidiMode mode) {
    return mode == MidiMode::relative_2c || mode == MidiMode::relative_offset64 ||
           mode == MidiMode::relative_signbit;
}
bool is_button(MidiMode mode) {
    return mode == MidiMode::toggle || mode == MidiMode::momentary || mode == MidiMode::trigger;
}

/// One [[midi]] table.
class Mapping {
public:
    Mapping(Place place, ProblemList& problems) : expect_("midi.", problems), problems_(problems) {
        midi_.place = midi_.target_place = midi_.range_place = place;
    }

    PatchMidi read(const TomlTable& table) {
        for (const TomlEntry& entry : table) read_entry(entry);
        check_source();
        check_range();
        check_morph();
        check_that_all_matters();
        return std::move(midi_);
    }

    /// Without a target the resolver has nothing to look up.
    bool has_target() const { return target_ && target_->value.as<std::string>(); }

private:
    void read_entry(const TomlEntry& entry) {
        for (const Source& source : sources)
            if (entry.key == source.key) return read_source(entry, source);
        if (entry.key == "channel") return read_channel(entry);
        if (entry.key == "target") return read_target(entry);
        if (entry.key == "from") return read_scene(entry, from_, midi_.from, midi_.from_place);
        if (entry.key == "to") return read_scene(entry, to_, midi_.to, midi_.to_place);
        if (entry.key == "min") return read_end(entry, min_, midi_.min);
        if (entry.key == "max") return read_end(entry, max_, midi_.max);
        if (entry.key == "order") return read_choice(entry, orders, order_, midi_.order);
        if (entry.key == "mode") return read_choice(entry, modes, mode_, midi_.mode);
        if (entry.key == "curve") return read_choice(entry, curves, curve_, midi_.curve);
        if (entry.key == "takeover") return read_choice(entry, takeovers, takeover_, midi_.takeover);
        if (entry.key == "smooth_ms")
            midi_.smooth_ms = expect_.number(entry, 0., 10'000., "ms").value_or(-1.);
        else
            expect_.unknown_key(entry, "unknown key", keys);
    }

    void read_source(const TomlEntry& entry, const Source& source) {
        if (source_) {
            expect_.error(entry, fmt::format("a second source beside {}; a mapping has exactly one, write "
                                             "another [[midi]] for this",
                                             in_quotes(source_->key)));
            return;
        }
        source_ = &entry;
        midi_.source = source.source;
        if (source.highest > 0)
            midi_.number = expect_.whole_number(entry, 0, source.highest).value_or(0);
        else if (const bool* on = entry.value.as<bool>(); !on || !*on)
            expect_.error(entry, fmt::format("expected {} = true, or no such line", source.key));
    }

    void read_channel(const TomlEntry& entry) {
        const auto* text = entry.value.as<std::string>();
        const auto* number = entry.value.as<std::int64_t>();
        if (const auto channel = number ? whole_between(*number, 1, 16) : std::nullopt)
            midi_.channel = *channel;
        else if (!text || *text != "omni")
            expect_.error(entry, fmt::format("{}; expected 1 to 16, or \"omni\"",
                                             number ? fmt::format("there is no channel {}", *number)
                                             : text ? in_quotes(*text)
                                                    : kind_of(entry.value)));
    }

    void read_target(const TomlEntry& entry) {
        midi_.target_place = entry.place;
        target_ = &entry;
        if (const std::string* target = expect_.text(entry)) midi_.target = *target;
    }

    void read_scene(const TomlEntry& entry, const TomlEntry*& written, std::string& name, Place& place) {
        written = &entry;
        place = entry.place;
        if (const std::string* text = expect_.text(entry)) name = *text;
    }

    void read_end(const TomlEntry& entry, const TomlEntry*& written, double& value) {
        written = &entry;
        if (!min_ || !max_) midi_.range_place = entry.place;
        if (const auto number = expect_.any_number(entry))
            value = *number;
        else
            range_is_good_ = false;
    }

    template <class Choice>
    void read_choice(const TomlEntry& entry, const Names& names, const TomlEntry*& written, Choice& value) {
        const auto index = expect_.choice(entry, names);
        if (!index) return;
        written = &entry;
        value = static_cast<Choice>(*index);
    }

    void check_source() {
        if (!source_)
            problems_.error(midi_.place, "midi",
                            "listens to nothing; add one of cc, cc14, nrpn, pitchbend, note, program");
        if (!target_) problems_.error(midi_.place, "midi", "moves nothing; add target = \"node.parameter\"");
        const bool has_no_ticks = midi_.source == MidiSource::note || midi_.source == MidiSource::pitchbend ||
                                  midi_.source == MidiSource::program;
        if (source_ && mode_ && is_relative(midi_.mode) && has_no_ticks)
            expect_.error(*mode_, fmt::format("{} sends no relative moves; expected mode = \"absolute\"",
                                              in_quotes(source_->key)));
        if (source_ && mode_ && is_button(midi_.mode) && midi_.source == MidiSource::pitchbend)
            expect_.error(*mode_, "a pitch bend is no button; expected mode = \"absolute\"");
    }

    void check_range() {
        if (min_ && !max_) expect_.error(*min_, "min without max; write both, or none for the whole range");
        if (max_ && !min_) expect_.error(*max_, "max without min; write both, or none for the whole range");
        midi_.has_range = min_ && max_ && range_is_good_;
        if (midi_.has_range && midi_.min == midi_.max)
            problems_.error(midi_.range_place, "midi.min",
                            "min and max are equal, so that nothing would move");
    }

    /// `from` and `to` belong to the morph of two scenes.
    void check_morph() {
        const bool is_morph = midi_.target == "morph";
        for (const TomlEntry* end : {from_, to_})
            if (end && target_ && !is_morph)
                expect_.error(*end, "belongs to target = \"morph\"; leave it out");
        if (is_morph && !(from_ && to_))
            problems_.error(midi_.target_place, from_ ? "midi.to" : "midi.from",
                            "missing; a morph goes between two scenes: write from and to");
        if (is_morph && from_ && to_ && midi_.from == midi_.to)
            expect_.error(*to_, "from and to are one scene, so that nothing would move");
    }

    /// A setting that is accepted does something.
    void check_that_all_matters() {
        const bool absolute = midi_.mode == MidiMode::absolute;
        if (takeover_ && !absolute)
            expect_.error(*takeover_, fmt::format("means nothing with mode = {}; leave it out",
                                                  in_quotes(modes[static_cast<std::size_t>(midi_.mode)])));
        else if (takeover_ && midi_.source == MidiSource::note && midi_.takeover != MidiTakeover::jump)
            expect_.error(*takeover_, "a key has no place to pick up from; leave it out");
        if (curve_ && is_button(midi_.mode))
            expect_.error(*curve_, fmt::format("means nothing with mode = {}; leave it out",
                                               in_quotes(modes[static_cast<std::size_t>(midi_.mode)])));
        if (order_ && source_ && midi_.source != MidiSource::cc14 && midi_.source != MidiSource::nrpn)
            expect_.error(*order_, fmt::format("means nothing with {}, which has no two halves; leave it out",
                                               in_quotes(source_->key)));
        if (midi_.source == MidiSource::note) midi_.takeover = MidiTakeover::jump;
    }

    Expect expect_;
    ProblemList& problems_;
    PatchMidi midi_;
    const TomlEntry *source_ = nullptr, *target_ = nullptr, *min_ = nullptr,
                    *max_ = nullptr;  // as far as they are written
    const TomlEntry *from_ = nullptr, *to_ = nullptr;
    const TomlEntry *order_ = nullptr, *mode_ = nullptr, *curve_ = nullptr, *takeover_ = nullptr;
    bool range_is_good_ = true;
};

}  // namespace

void read_midi(const TomlEntry& entry, Patch& patch, ProblemList& problems) {
    const auto* list = entry.value.as<std::vector<TomlValue>>();
    if (!list) {
        problems.error(entry.place, "midi",
                       fmt::format("{}; expected tables in double brackets: [[midi]]", kind_of(entry.value)));
        return;
    }
    for (const TomlValue& value : *list) {
        const auto* table = value.as<TomlTable>();
        if (!table) {
            problems.error(value.place, "midi", fmt::format("{}; expected a table", kind_of(value)));
            continue;
        }
        Mapping mapping(value.place, problems);
        PatchMidi midi = mapping.read(*table);
        if (mapping.has_target()) patch.midi.push_back(std::move(midi));
    }
}

}  // namespace gainstage
