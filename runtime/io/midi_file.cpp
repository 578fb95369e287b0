#include "runtime/io/midi_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "runtime/foreign_bytes.hpp"
#include "runtime/read_file.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

/// Longer than any performance: a day of dense controller moves is some 100 MB, a song some 100 kB.
constexpr std::size_t largest_midi_file_bytes = 64 << 20;
constexpr double latest_message_s = 1e6;

/// A position within bytes that nobody vouches for.
class Cursor {
public:
    Cursor(std::span<const std::uint8_t> bytes, std::size_t end, std::size_t at, const std::string& name)
        : bytes_(bytes), end_(end), at_(at), name_(&name) {}

    bool done() const { return at_ == end_; }
    std::size_t at() const { return at_; }
    std::size_t left() const { return end_ - at_; }

    [[noreturn]] void refuse(std::string_view what) const {
        throw MidiFileError(fmt::format("{}: {}", *name_, what), sysexits::bad_data);
    }
    [[noreturn]] void fail(std::string_view what) const {
        throw MidiFileError(fmt::format("{}: byte {}: {}: export the file again", *name_, at_, what),
                            sysexits::bad_data);
    }
    std::uint8_t byte() {
        if (done()) fail("the data ends in the middle of an event");
        return bytes_[at_++];
    }
    std::uint8_t peek() const { return bytes_[at_]; }  ///< REQUIRES !done()
    std::uint32_t big_endian(int count) {
        std::uint32_t value = 0;
        while (count-- > 0) value = value << 8 | byte();
        return value;
    }
    std::uint32_t little_endian(int count) {
        std::uint32_t value = 0;
        for (int k = 0; k < count; ++k) value |= static_cast<std::uint32_t>(byte()) << (8 * k);
        return value;
    }
    /// Seven bits a byte, at most four bytes.
    std::uint32_t variable_length() {
        std::uint32_t value = 0;
        for (int k = 0; k < 4; ++k) {
            const std::uint8_t next = byte();
            value = value << 7 | (next & 0x7F);
            if (next < 0x80) return value;
        }
        fail("a number is longer than four bytes");
    }
    /// The next `count` bytes, stepped over.
    Cursor take(std::uint32_t count) {
        if (count > left()) fail(fmt::format("{} bytes are announced, {} are there", count, left()));
        const Cursor taken(bytes_, at_ + count, at_, *name_);
        at_ += count;
        return taken;
    }

private:
    std::span<const std::uint8_t> bytes_;
    std::size_t end_, at_;
    const std::string* name_;  // outlives it
};

struct Header {
    int format = 0, tracks = 0;
    std::uint32_t ticks_per_quarter = 0;  ///< 0: time is counted in frames
    double seconds_per_tick = 0.;         ///< with frames
};

/// What happens at a tick: a channel message, or (size 0) a new tempo.
struct TickEvent {
    std::int64_t tick = 0;
    MidiMessage message;
    std::uint32_t microseconds_per_quarter = 0;
};

bool is_chunk(Cursor& cursor, std::string_view id) {
    bool same = true;
    for (const char letter : id) same = cursor.byte() == static_cast<std::uint8_t>(letter) && same;
    return same;
}

void read_division(Cursor& cursor, Header& header) {
    const std::uint32_t division = cursor.big_endian(2);
    if (division < 0x8000) {
        if (division == 0) cursor.fail("a quarter note has 0 ticks");
        header.ticks_per_quarter = division;
        return;
    }
    const int frames = 256 - static_cast<int>(division >> 8);
    const double ticks_per_frame = division & 0xFF;
    if ((frames != 24 && frames != 25 && frames != 29 && frames != 30) || ticks_per_frame == 0.)
        cursor.fail("the time is counted neither in quarter notes nor in 24, 25, 29 or 30 frames a second");
    const double frames_per_second = frames == 29 ? 30'000. / 1'001. : frames;  // 29: drop-frame time code
    header.seconds_per_tick = 1. / (frames_per_second * ticks_per_frame);
}

/// RIFF MIDI: a Standard MIDI File in the chunk "data". Leaves the cursor where it is if the file is none.
void enter_riff(Cursor& file) {
    constexpr std::size_t riff_head = 12;
    Cursor riff = file;
    if (riff.left() < riff_head || !is_chunk(riff, "RIFF")) return;
    riff.big_endian(4);
    if (!is_chunk(riff, "RMID")) return;
    while (riff.left() >= 8) {
        const bool is_data = is_chunk(riff, "data");
        const std::uint32_t size = riff.little_endian(4);
        const Cursor chunk = riff.take(size);
        if (is_data) {
            file = chunk;
            return;
        }
        if (size % 2 == 1 && riff.left() > 0) riff.byte();
    }
}

/// What else the file is. Empty: nobody knows.
std::string other_file(std::string_view head) {
    for (std::string known : {impostor(head), sound_or_midi(head), json_page(head)})
        if (!known.empty()) return known;
    return {};
}

Header read_header(Cursor& file, std::span<const std::uint8_t> bytes) {
    if (file.left() < 14 || !is_chunk(file, "MThd")) {
        const std::string known = other_file({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        if (known.empty()) file.fail("this is no Standard MIDI File (.mid)");
        file.refuse("this is no Standard MIDI File (.mid), but " + known);
    }
    Cursor chunk = file.take(file.big_endian(4));
    if (chunk.left() < 6) chunk.fail("the header is too short");
    Header header;
    header.format = static_cast<int>(chunk.big_endian(2));
    header.tracks = static_cast<int>(chunk.big_endian(2));
    read_division(chunk, header);
    if (header.format > 2) chunk.fail(fmt::format("format {} is unknown (0, 1 and 2 exist)", header.format));
    if (header.format == 2 && header.tracks > 1)
        chunk.fail("this is a collection of patterns (format 2), one song is wanted (format 0 or 1)");
    return header;
}

/// Appends the tempo if the meta event is one. Returns false at the end of the track.
bool read_meta(Cursor& track, std::int64_t tick, std::vector<TickEvent>& events) {
    const std::uint8_t type = track.byte();
    Cursor data = track.take(track.variable_length());
    if (type == 0x51) {
        if (data.left() != 3) data.fail("a tempo has three bytes");
        const std::uint32_t tempo = data.big_endian(3);
        if (tempo == 0) data.fail("a tempo of 0 microseconds per quarter note");
        events.push_back({.tick = tick, .message = {}, .microseconds_per_quarter = tempo});
    }
    return type != 0x2F;
}

MidiMessage read_channel_message(Cursor& track, std::uint8_t status) {
    const int kind = status & 0xF0;
    const std::size_t size = kind == 0xC0 || kind == 0xD0 ? 2 : 3;
    std::array<std::uint8_t, 3> bytes{status, 0, 0};
    for (std::size_t k = 1; k < size; ++k) bytes[k] = track.byte();
    const MidiMessage message = channel_message(bytes.data(), size);
    if (message.size == 0) track.fail("a status byte stands where data belongs");
    return message;
}

void read_track(Cursor track, std::vector<TickEvent>& events) {
    std::int64_t tick = 0;  // 64 MB of 28-bit steps stay below 2^54
    std::uint8_t running = 0;
    while (!track.done()) {
        tick += track.variable_length();
        if (track.done()) track.fail("the data ends in the middle of an event");
        const std::uint8_t status = track.peek() >= 0x80 ? track.byte() : running;
        if (status == 0xFF) {
            if (!read_meta(track, tick, events)) return;
        } else if (status == 0xF0 || status == 0xF7) {
            track.take(track.variable_length());
        } else if (status >= 0x80 && status < 0xF0) {
            running = status;
            events.push_back({.tick = tick, .message = read_channel_message(track, status)});
        } else {
            track.fail("an event has no valid status byte");
        }
    }
}

/// What read_tracks() has found.
struct Tracks {
    std::vector<TickEvent> events;
    int found = 0;
    std::string unreadable;  ///< why what follows the announced tracks is none; empty: nothing follows
};

/// Appends the next track. Steps over other chunks, as the standard demands.
void read_chunk(Cursor& file, Tracks& tracks) {
    const bool is_track = is_chunk(file, "MTrk");
    const Cursor chunk = file.take(file.big_endian(4));
    if (!is_track) return;
    read_track(chunk, tracks.events);
    ++tracks.found;
}

/// Reads to the end of the file, because headers miscount. What follows the announced tracks may be anything.
Tracks read_tracks(Cursor& file, int announced) {
    Tracks tracks;
    while (!file.done()) {
        if (tracks.found < announced) {
            if (file.left() < 8)
                file.fail(fmt::format("{} tracks are announced, {} are there", announced, tracks.found));
            read_chunk(file, tracks);
            continue;
        }
        const std::size_t events_before = tracks.events.size();
        try {
            read_chunk(file, tracks);
        } catch (const MidiFileError& error) {
            tracks.events.resize(events_before);
            tracks.unreadable = error.what();
            break;
        }
    }
    if (tracks.found == 0 && announced > 0)
        file.fail(fmt::format("{} tracks are announced, 0 are there", announced));
    std::stable_sort(tracks.events.begin(), tracks.events.end(),
                     [](const TickEvent& a, const TickEvent& b) { return a.tick < b.tick; });
    return tracks;
}

/// Ticks to seconds along the tempo map, counted from its last change so that no error adds up.
std::vector<TimedMidi> timed(const std::vector<TickEvent>& events, const Header& header,
                             const std::string& name) {
    std::vector<TimedMidi> messages;
    double seconds_per_tick = header.seconds_per_tick;
    if (header.ticks_per_quarter) seconds_per_tick = 0.5 / header.ticks_per_quarter;  // 120 a minute
    double since_seconds = 0.;
    std::int64_t since_tick = 0;
    for (const TickEvent& event : events) {
        const double seconds =
            since_seconds + static_cast<double>(event.tick - since_tick) * seconds_per_tick;
        if (seconds > latest_message_s)
            throw MidiFileError(name + ": plays for more than 11 days: export the file again",
                                sysexits::bad_data);
        if (event.message.size > 0) {
            messages.push_back({seconds, event.message});
        } else if (header.ticks_per_quarter) {
            since_seconds = seconds;
            since_tick = event.tick;
            seconds_per_tick = event.microseconds_per_quarter * 1e-6 / header.ticks_per_quarter;
        }
    }
    return messages;
}

}  // namespace

MidiFile parse_midi_file(std::span<const std::uint8_t> bytes, const std::string& name) {
    Cursor file(bytes, bytes.size(), 0, name);
    enter_riff(file);
    const Header header = read_header(file, bytes);
    const Tracks tracks = read_tracks(file, header.tracks);
    MidiFile midi{.messages = timed(tracks.events, header, name), .notes = {}};
    if (tracks.found != header.tracks)
        midi.notes.push_back(fmt::format("{}: its header counts {} tracks, {} are there: played all {}", name,
                                         header.tracks, tracks.found, tracks.found));
    if (!tracks.unreadable.empty())
        midi.notes.push_back(tracks.unreadable + " (it follows the last track, and is passed over)");
    return midi;
}

MidiFile read_midi_file(const std::string& path) {
    try {
        const std::string bytes = read_whole_file(path, "MIDI", largest_midi_file_bytes);
        return parse_midi_file({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path);
    } catch (const FileFault& fault) {
        throw MidiFileError(fmt::format("{}: {}", path, fault.what()), fault.exit_code);
    }
}

}  // namespace gainstage
