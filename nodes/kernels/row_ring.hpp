#pragma once
/// What a layer with delays remembers of its input: rows of channels in a ring.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "nodes/kernels/dense.hpp"

namespace gainstage {

/// The last rows written, and before the first of them one constant row for ever: a signal that has lasted
/// since long before the start. So a start costs one row, however long the history is.
class RowRing {
public:
    /// Control thread. `width`: floats of a row; `history`: the longest delay that will be asked for;
    /// `longest`: the most rows written at once.
    RowRing(int width, int history, int longest)
        : width_(width),
          capacity_(history + longest),
          rows_(std::int64_t{width} * capacity_ / vector_channels + 1),
          before_(width) {}

    /// Audio thread. Forgets all; `before` is what has been written ever since.
    void start(const float* before) noexcept {
        std::copy_n(before, width_, before_.data());
        head_ = 0;
        written_ = 0;
    }
    /// Audio thread. Appends rows that lie `stride` floats apart.
    void write(const float* rows, int stride, int frames) noexcept {
        for (int k = 0; k < frames; ++k) {
            std::copy_n(rows + k * stride, width_, at(head_));
            head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
        }
        written_ += frames;
    }
    /// Rows that lie `stride` floats apart.
    struct Rows {
        const float* first;
        int stride, count;
    };
    /// Audio thread. Of the last `frames` rows, each as it was `delay` rows earlier, those from the k-th on,
    /// as far as they lie evenly.
    Rows rows(int delay, int frames, int k) const noexcept {
        const int old = static_cast<int>(std::clamp<std::int64_t>(delay + frames - written_, 0, frames));
        if (k < old) return {before_.data(), 0, old - k};
        int index = head_ - frames + k - delay;
        if (index < 0) index += capacity_;
        return {at(index), width_, std::min(frames - k, capacity_ - index)};
    }
    /// Audio thread. All of them, in up to three pieces: piece(rows, stride, first, count) has those of the
    /// frames first .. first + count - 1.
    template <class Piece>
    void each(int delay, int frames, Piece&& piece) const noexcept {
        for (int k = 0; k < frames;) {
            const Rows even = rows(delay, frames, k);
            piece(even.first, even.stride, k, even.count);
            k += even.count;
        }
    }
    /// Audio thread. REQUIRES: `other` was built with the same sizes. Copies what has been written, at most
    /// the whole ring.
    void copy_state(const RowRing& other) noexcept {
        const auto floats = std::min<std::int64_t>(other.written_, capacity_) * width_;
        std::copy_n(other.at(0), floats, at(0));
        std::copy(other.before_.begin(), other.before_.end(), before_.begin());
        head_ = other.head_;
        written_ = other.written_;
    }

private:
    struct alignas(64) Vector {
        std::array<float, vector_channels> channels{};
    };
    float* at(int row) noexcept { return rows_.front().channels.data() + std::int64_t{row} * width_; }
    const float* at(int row) const noexcept {
        return rows_.front().channels.data() + std::int64_t{row} * width_;
    }

    // fixed after construction
    int width_, capacity_;
    // audio thread
    std::vector<Vector> rows_;
    AlignedFloats before_;
    int head_ = 0;              ///< where the next row goes
    std::int64_t written_ = 0;  ///< rows since the start
};

}  // namespace gainstage
