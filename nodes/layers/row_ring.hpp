#pragma once
/// The past input of a layer with delays: rows of channels in a ring.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "nodes/layers/dense.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// The last rows written. Before the first of them lies one constant row without end: a signal that lasted
/// for ever before the start. So a start costs one row, however long the history is. The first rows of the
/// ring are repeated behind its end, so that the rows written at once always lie side by side.
class RowRing {
public:
    /// Control thread. `width`: floats of a row; `history`: the longest delay; `longest`: most rows written
    /// at once.
    RowRing(int width, int history, int longest)
        : width_(width),
          capacity_(history + longest),
          longest_(longest),
          rows_(std::int64_t{width} * (capacity_ + longest) / vector_channels + 1),
          before_(width) {}

    /// Audio thread. Forgets all rows. `before` counts as the row of all earlier times.
    void start(const float* before) noexcept {
        std::copy_n(before, width_, before_.data());
        head_ = 0;
        written_ = 0;
    }
    /// Audio thread. Appends rows that are `stride` floats apart, at most `longest`.
    void write(const float* rows, int stride, int frames) noexcept {
        written_ += frames;
        while (frames > 0) {
            const int even = std::min(frames, capacity_ - head_);
            put(rows, stride, head_, even);
            put(rows, stride, capacity_ + head_, std::min(even, longest_ - head_));
            rows += std::ptrdiff_t{even} * stride;
            frames -= even;
            head_ = head_ + even == capacity_ ? 0 : head_ + even;
        }
    }
    /// `count` rows that are `stride` floats apart.
    struct Rows {
        const float* first;
        int stride, count;
    };
    /// Audio thread. Of the `frames` rows that lie `delay` rows before the last ones, those from the k-th on,
    /// as far as they are evenly spaced.
    Rows rows(int delay, int frames, int k) const noexcept {
        const int old = static_cast<int>(std::clamp<std::int64_t>(delay + frames - written_, 0, frames));
        if (k < old) return {before_.data(), 0, old - k};
        int index = head_ - frames + k - delay;
        if (index < 0) index += capacity_;
        return {at(index), width_, frames - k};
    }
    /// Audio thread. All of them, in a few evenly spaced pieces: piece(rows, stride, first, count) gets the
    /// frames first .. first + count - 1.
    template <class Piece>
    void each(int delay, int frames, Piece&& piece) const noexcept {
        for (int k = 0; k < frames;) {
            const Rows even = rows(delay, frames, k);
            piece(even.first, even.stride, k, even.count);
            k += even.count;
        }
    }
    /// Control thread. Only rows that were written matter.
    void list_state(StateList& list) {
        list.add(head_, written_, before_);
        list.add_first(written_, std::span(at(0), row_floats(capacity_)), width_);
        list.add_first(written_, std::span(at(capacity_), row_floats(longest_)), width_);
    }

private:
    std::size_t row_floats(int rows) const noexcept { return static_cast<std::size_t>(rows) * width_; }
    void put(const float* rows, int stride, int row, int count) noexcept {
        if (stride == width_ && count > 0)
            std::copy_n(rows, std::ptrdiff_t{count} * width_, at(row));
        else
            for (int k = 0; k < count; ++k)
                std::copy_n(rows + std::ptrdiff_t{k} * stride, width_, at(row + k));
    }

    struct alignas(64) Vector {
        std::array<float, vector_channels> channels{};
    };
    float* at(int row) noexcept { return rows_.front().channels.data() + std::int64_t{row} * width_; }
    const float* at(int row) const noexcept {
        return rows_.front().channels.data() + std::int64_t{row} * width_;
    }

    // fixed after construction
    int width_, capacity_, longest_;
    // audio thread
    std::vector<Vector> rows_;
    AlignedFloats before_;
    int head_ = 0;              ///< where the next row goes
    std::int64_t written_ = 0;  ///< rows since the start
};

}  // namespace gainstage
