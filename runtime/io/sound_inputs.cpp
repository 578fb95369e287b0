#include "runtime/io/sound_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/numbers.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

SoundInput parse_sound_input(const std::string& text) {
    const std::size_t sign = text.find('=');
    const auto channel = text_as_whole(std::string_view(text).substr(0, sign));
    if (sign == std::string::npos || !channel || *channel < 1 || *channel > most_channels ||
        sign + 1 == text.size())
        throw std::invalid_argument(
            fmt::format("{} was given; expected CHANNEL=FILE, such as 1=voice.wav, with a "
                        "channel from 1 to {}",
                        in_quotes(text), most_channels));
    return {.file = text.substr(sign + 1), .first_channel = static_cast<int>(*channel)};
}

SoundInputs::SoundInputs(const std::vector<SoundInput>& inputs) {
    for (const SoundInput& input : inputs) add(input);
    for (Track& track : tracks_) make_room(track);
    take_news();
}

void SoundInputs::add(const SoundInput& input) {
    auto reader = std::make_unique<SoundReader>(input.file);
    const SoundFormat& mine = reader->format();
    const int end = input.first_channel + mine.channels - 1;
    if (end > most_channels)
        throw SoundFileError(fmt::format("{}: has {} channels, so that it reaches beyond channel {}",
                                         input.file, mine.channels, most_channels),
                             sysexits::bad_data);
    for (const Track& other : tracks_) {
        const SoundFormat& theirs = other.reader->format();
        if (theirs.rate_hz != mine.rate_hz)
            throw SoundFileError(
                fmt::format("{}: has {} Hz, but {} has {} Hz; files that play together need one "
                            "rate",
                            input.file, mine.rate_hz, other.input.file, theirs.rate_hz),
                sysexits::bad_data);
        if (input.first_channel == other.input.first_channel)
            throw SoundFileError(fmt::format("{}: channel {} is that of {} already; give it another one",
                                             input.file, input.first_channel, other.input.file),
                                 sysexits::bad_data);
    }
    format_.channels = std::max(format_.channels, end);
    format_.rate_hz = mine.rate_hz;
    const bool is_unknown = mine.frames < 0 || format_.frames < 0;
    format_.frames = is_unknown ? -1 : std::max(format_.frames, mine.frames);
    tracks_.push_back({.input = input, .reader = std::move(reader), .heard = mine.channels});
}

/// A stereo file of one player does not reach into the channel of the next.
void SoundInputs::make_room(Track& track) {
    for (const Track& other : tracks_) {
        const int between = other.input.first_channel - track.input.first_channel;
        if (between <= 0 || between >= track.heard) continue;
        track.heard = between;
        const std::string cause = fmt::format(
            "{}: only the first {} of its {} channels are heard, for {} is in channel {}", track.input.file,
            between, track.reader->format().channels, other.input.file, other.input.first_channel);
        news_.push_back({.kind = SoundNews::Kind::odd, .text = cause, .cause = cause});
    }
}

int SoundInputs::read_as_promised(float* const* channels, int frames) {
    for (int c = 0; c < format_.channels; ++c) std::fill_n(channels[c], frames, 0.f);
    int longest = 0;
    for (Track& track : tracks_) {
        if (track.is_over) continue;
        unheard_.resize(static_cast<std::size_t>(frames));
        std::vector<float*> to(static_cast<std::size_t>(track.reader->format().channels), unheard_.data());
        std::copy_n(channels + track.input.first_channel - 1, track.heard, to.begin());
        const int got = track.reader->read_as_promised(to.data(), frames);
        for (float* channel : to) std::fill(channel + got, channel + frames, 0.f);
        track.is_over = got < frames;
        longest = std::max(longest, got);
    }
    take_news();
    return longest;
}

void SoundInputs::take_news() {
    for (Track& track : tracks_)
        for (const auto& news = track.reader->news(); track.told < news.size(); ++track.told)
            news_.push_back(news[track.told]);
}

double SoundInputs::lost_seconds() const noexcept {
    double most = 0.;
    for (const Track& track : tracks_) most = std::max(most, track.reader->lost_seconds());
    return most;
}

}  // namespace gainstage
