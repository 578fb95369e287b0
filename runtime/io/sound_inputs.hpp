#pragma once
/// Several sound files as the channels of one device: two players, each from a file of their own.

#include <memory>
#include <string>
#include <vector>

#include "runtime/io/sound_reader.hpp"

namespace gainstage {

/// A file, and the device channel that its first channel is heard in, counted from 1.
struct SoundInput {
    std::string file;
    int first_channel = 1;
};

/// "1=voice.wav" as such an input. Throws std::invalid_argument, which says what is expected.
SoundInput parse_sound_input(const std::string& text);

/// Reads them side by side, as SoundReader reads one. The longest gives the length; after the end of a
/// shorter one it is silent. Control thread; errors are thrown as SoundFileError.
class SoundInputs {
public:
    /// Refuses files of different rates, and two that begin in one channel. Channels of a file that reach
    /// into those of the next are left out, which is among the news. REQUIRES: at least one input.
    explicit SoundInputs(const std::vector<SoundInput>&);

    /// All of them together. `channels`: up to the highest that a file is heard in.
    const SoundFormat& format() const noexcept { return format_; }
    /// As SoundReader::read_as_promised(). Channels without a file are silent.
    int read_as_promised(float* const* channels, int frames);
    const std::vector<SoundNews>& news() const noexcept { return news_; }
    /// Of the file that lost the most.
    double lost_seconds() const noexcept;

private:
    struct Track {
        SoundInput input;
        std::unique_ptr<SoundReader> reader;
        int heard = 0;         // of its channels
        std::size_t told = 0;  // of its news
        bool is_over = false;
    };
    void add(const SoundInput&);
    void make_room(Track&);
    void take_news();

    std::vector<Track> tracks_;
    SoundFormat format_;
    std::vector<SoundNews> news_;
    std::vector<float> unheard_;  // what is read of channels that are left out
};

}  // namespace gainstage
