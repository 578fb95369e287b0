/// A sound card made of software, as a plugin of ALSA: see card_state.hpp for what it can do and what can
/// happen to it. Each direction is a pcm of its own, and both run by the card's one clock.

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <string>

#include "tests/support/card_state.hpp"

namespace {

using gainstage::SampleFormat;
using gainstage::test::CardState;

/// A direction of the card.
struct Direction {
    snd_pcm_ioplug_t io{};
    CardState* card = nullptr;
    int way = CardState::in;
    snd_pcm_uframes_t last_position = 0;

    int channels() const {
        return way == CardState::in ? card->ability.in_channels : card->ability.out_channels;
    }
};

Direction& of(snd_pcm_ioplug_t* io) {
    return *static_cast<Direction*>(io->private_data);
}

std::int64_t now_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

snd_pcm_format_t alsas(SampleFormat format) {
    switch (format) {
        case SampleFormat::s32:
            return SND_PCM_FORMAT_S32;
        case SampleFormat::s24:
            return SND_PCM_FORMAT_S24;
        case SampleFormat::s24_packed:
            return SND_PCM_FORMAT_S24_3LE;
        case SampleFormat::s16:
            return SND_PCM_FORMAT_S16;
        default:
            return SND_PCM_FORMAT_FLOAT;
    }
}

// ------------------------ time

/// Where a card with a clock is by now.
void look_at_clock(CardState& card) {
    if (!card.ability.keeps_time || card.epoch_ns == 0) return;
    const double rate_hz = card.ability.rate_hz * (1. + card.ability.drift_ppm * 1e-6);
    const double frames = static_cast<double>(now_ns() - card.epoch_ns) * 1e-9 * rate_hz;
    card.clock = std::min(static_cast<std::uint64_t>(frames), card.ability.most_frames);
}

/// Frames since this direction began.
std::uint64_t elapsed(const Direction& one) {
    const std::uint64_t clock = one.card->clock, began = one.card->began[one.way];
    return one.card->runs[one.way] && clock > began ? clock - began : 0;
}

/// Frames that can be read or written; more than fit into the buffer: sound was lost.
std::int64_t ready(const Direction& one) {
    const auto passed = static_cast<std::int64_t>(elapsed(one));
    const auto moved = static_cast<std::int64_t>(one.card->moved[one.way].load());
    const auto buffer = static_cast<std::int64_t>(one.io.buffer_size);
    return one.way == CardState::in ? passed - moved : buffer - (moved - passed);
}

/// Somebody waits for a block: a card without a clock lets the time pass.
void let_pass(Direction& one) {
    CardState& card = *one.card;
    if (card.ability.keeps_time || !card.runs[one.way]) return;
    const std::int64_t missing = static_cast<std::int64_t>(one.io.period_size) - ready(one);
    const std::int64_t skew =
        static_cast<std::int64_t>(card.began[one.way]) - static_cast<std::int64_t>(card.clock);
    if (missing <= 0) return;
    const auto step = static_cast<std::uint64_t>(missing + std::max<std::int64_t>(skew, 0));
    if (card.clock + step <= card.ability.most_frames) card.clock += step;
}

// ------------------------ what ALSA calls

int start(snd_pcm_ioplug_t* io) {
    Direction& one = of(io);
    CardState& card = *one.card;
    if (card.is_unplugged) return -ENODEV;
    if (card.epoch_ns == 0) card.epoch_ns = now_ns();
    look_at_clock(card);
    const int skew = one.way == CardState::out ? card.ability.skew_frames : 0;
    card.began[one.way] = card.clock + static_cast<std::uint64_t>(skew);
    card.runs[one.way] = true;
    ++card.starts[one.way];
    if (!card.ability.keeps_time) return 0;
    const long tick_ns = static_cast<long>(std::max<snd_pcm_uframes_t>(io->period_size / 8, 1)) *
                         1'000'000'000 / card.ability.rate_hz;
    const itimerspec ticks{.it_interval = {.tv_sec = 0, .tv_nsec = tick_ns},
                           .it_value = {.tv_sec = 0, .tv_nsec = tick_ns}};
    timerfd_settime(io->poll_fd, 0, &ticks, nullptr);
    return 0;
}

int stop(snd_pcm_ioplug_t* io) {
    of(io).card->runs[of(io).way] = false;
    return 0;
}

int prepare(snd_pcm_ioplug_t* io) {
    Direction& one = of(io);
    if (one.card->is_unplugged) return -ENODEV;
    if (one.card->sleeps) return -ESTRPIPE;
    one.card->runs[one.way] = false;
    one.card->moved[one.way] = 0;
    one.last_position = 0;
    return 0;
}

int resume(snd_pcm_ioplug_t* io) {
    if (!of(io).card->sleeps) snd_pcm_ioplug_set_state(io, SND_PCM_STATE_SETUP);
    return 0;
}

/// True: it can't play any more, and ALSA will say why.
bool stands_still(Direction& one) {
    if (one.card->is_unplugged)
        snd_pcm_ioplug_set_state(&one.io, SND_PCM_STATE_DISCONNECTED);
    else if (one.card->sleeps)
        snd_pcm_ioplug_set_state(&one.io, SND_PCM_STATE_SUSPENDED);
    return one.card->is_unplugged || one.card->sleeps;
}

snd_pcm_sframes_t pointer(snd_pcm_ioplug_t* io) {
    Direction& one = of(io);
    CardState& card = *one.card;
    if (stands_still(one)) return static_cast<snd_pcm_sframes_t>(one.last_position);
    look_at_clock(card);
    if (card.runs[one.way]) card.clock += static_cast<std::uint64_t>(card.skipped_frames.exchange(0));
    if (card.runs[one.way] && ready(one) >= static_cast<std::int64_t>(io->buffer_size)) {
        ++card.xruns[one.way];
        card.runs[one.way] = false;
        return -EPIPE;
    }
    one.last_position = elapsed(one) % io->buffer_size;
    return static_cast<snd_pcm_sframes_t>(one.last_position);
}

std::byte* place(const snd_pcm_channel_area_t& area, snd_pcm_uframes_t frame) {
    return static_cast<std::byte*>(area.addr) + (area.first + frame * area.step) / 8;
}

/// The word that comes in: `frame` counts from the beginning of the input.
std::uint32_t incoming(const CardState& card, std::uint64_t frame, int channel) {
    if (card.ability.plays_noise) return gainstage::test::card_noise(card.ability.format, frame, channel);
    const std::uint64_t time = card.began[CardState::in] + frame;
    const std::uint64_t sent =
        card.began[CardState::out] + static_cast<std::uint64_t>(card.ability.cable_frames);
    if (time < sent || time - sent >= card.moved[CardState::out] || channel >= card.ability.out_channels)
        return 0;
    return card.played[(time - sent) % CardState::kept_frames][channel];
}

snd_pcm_sframes_t transfer(snd_pcm_ioplug_t* io, const snd_pcm_channel_area_t* areas,
                           snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    Direction& one = of(io);
    CardState& card = *one.card;
    if (stands_still(one)) return card.is_unplugged ? -ENODEV : -ESTRPIPE;
    const auto bytes = static_cast<std::size_t>(bytes_of(card.ability.format));
    if (size != io->period_size) ++card.transfers_odd;
    const std::uint64_t moved = card.moved[one.way];
    for (snd_pcm_uframes_t k = 0; k < size; ++k)
        for (int c = 0; c < one.channels(); ++c) {
            std::byte* const there = place(areas[c], offset + k);
            if (one.way == CardState::in) {
                const std::uint32_t word = incoming(card, moved + k, c);
                std::memcpy(there, &word, bytes);
            } else {
                std::uint32_t word = 0;
                std::memcpy(&word, there, bytes);
                card.played[(moved + k) % CardState::kept_frames][c] = word;
            }
        }
    card.moved[one.way] = moved + size;
    return static_cast<snd_pcm_sframes_t>(size);
}

int hw_params(snd_pcm_ioplug_t* io, snd_pcm_hw_params_t*) {
    Direction& one = of(io);
    one.card->block_frames[one.way] = static_cast<int>(io->period_size);
    one.card->buffer_frames[one.way] = static_cast<int>(io->buffer_size);
    return 0;
}

int poll_revents(snd_pcm_ioplug_t* io, pollfd*, unsigned, unsigned short* revents) {
    Direction& one = of(io);
    std::uint64_t ticks = 0;
    if (one.card->ability.keeps_time && read(io->poll_fd, &ticks, sizeof ticks) < 0) ticks = 0;
    *revents = 0;
    if (stands_still(one)) return *revents = POLLERR, 0;
    let_pass(one);
    look_at_clock(*one.card);
    if (ready(one) >= static_cast<std::int64_t>(io->period_size))
        *revents = one.way == CardState::in ? POLLIN : POLLOUT;
    else if (!one.card->ability.keeps_time)
        usleep(1'000);  // its time is over, and its descriptor is always ready
    return 0;
}

int close_direction(snd_pcm_ioplug_t* io) {
    Direction* const one = &of(io);
    one->card->runs[one->way] = false;
    close(io->poll_fd);
    munmap(one->card, sizeof(CardState));
    delete one;
    return 0;
}

const snd_pcm_ioplug_callback_t callbacks = [] {
    snd_pcm_ioplug_callback_t all{};
    all.start = start;
    all.stop = stop;
    all.pointer = pointer;
    all.transfer = transfer;
    all.close = close_direction;
    all.hw_params = hw_params;
    all.prepare = prepare;
    all.resume = resume;
    all.poll_revents = poll_revents;
    return all;
}();

// ------------------------ opened

CardState* map_card(const char* file) {
    const int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return nullptr;
    void* const memory = mmap(nullptr, sizeof(CardState), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<CardState*>(memory);
}

int limit(snd_pcm_ioplug_t* io, int what, unsigned least, unsigned most) {
    return snd_pcm_ioplug_set_param_minmax(io, what, least, most);
}
int limit(snd_pcm_ioplug_t* io, int what, unsigned only) {
    return snd_pcm_ioplug_set_param_list(io, what, 1, &only);
}

/// Tells ALSA what the card can do.
int declare(Direction& one) {
    snd_pcm_ioplug_t* const io = &one.io;
    const auto& ability = one.card->ability;
    const auto channels = static_cast<unsigned>(one.channels());
    const unsigned frame = channels * static_cast<unsigned>(bytes_of(ability.format));
    const auto block = static_cast<unsigned>(ability.block_frames) * frame;
    const auto periods = static_cast<unsigned>(ability.most_periods ? ability.most_periods : 64);
    const unsigned access =
        ability.interleaved ? SND_PCM_ACCESS_RW_INTERLEAVED : SND_PCM_ACCESS_RW_NONINTERLEAVED;
    for (const int error : {limit(io, SND_PCM_IOPLUG_HW_ACCESS, access),
                            limit(io, SND_PCM_IOPLUG_HW_FORMAT, static_cast<unsigned>(alsas(ability.format))),
                            limit(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels),
                            limit(io, SND_PCM_IOPLUG_HW_RATE, static_cast<unsigned>(ability.rate_hz),
                                  static_cast<unsigned>(ability.rate_hz)),
                            block ? limit(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, block)
                                  : limit(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, frame, frame * 8'192),
                            limit(io, SND_PCM_IOPLUG_HW_PERIODS, 2, periods)})
        if (error < 0) return error;
    return 0;
}

int open_direction(snd_pcm_t** pcm, const char* name, const char* file, snd_pcm_stream_t stream, int mode) {
    CardState* const card = map_card(file);
    if (!card) return -ENOENT;
    while (card->hangs) usleep(10'000);
    auto* const one = new Direction;
    one->card = card;
    one->way = stream == SND_PCM_STREAM_CAPTURE ? CardState::in : CardState::out;
    const int refusal = card->is_unplugged     ? -ENODEV
                        : card->is_busy        ? -EBUSY
                        : one->channels() == 0 ? -ENOENT
                                               : 0;
    if (refusal != 0) {
        munmap(card, sizeof(CardState));
        delete one;
        return refusal;
    }
    one->io.version = SND_PCM_IOPLUG_VERSION;
    one->io.name = "Gainstage's test card";
    one->io.callback = &callbacks;
    one->io.private_data = one;
    one->io.poll_fd = card->ability.keeps_time ? timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
                                               : eventfd(1, EFD_CLOEXEC);
    one->io.poll_events = POLLIN;
    if (const int error = snd_pcm_ioplug_create(&one->io, name, stream, mode); error < 0) {
        close_direction(&one->io);
        return error;
    }
    if (const int error = declare(*one); error < 0) {
        snd_pcm_ioplug_delete(&one->io);
        return error;
    }
    *pcm = one->io.pcm;
    return 0;
}

}  // namespace

extern "C" {

SND_PCM_PLUGIN_DEFINE_FUNC(gainstage_test_card);
SND_PCM_PLUGIN_DEFINE_FUNC(gainstage_test_card) {
    static_cast<void>(root);
    const char* file = nullptr;
    snd_config_t* state = nullptr;
    if (snd_config_search(conf, "state", &state) < 0 || snd_config_get_string(state, &file) < 0)
        return -EINVAL;
    return open_direction(pcmp, name, file, stream, mode);
}
SND_PCM_PLUGIN_SYMBOL(gainstage_test_card)

}  // extern "C"
