#include "nodes/layers/row_ring.hpp"

#include <algorithm>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/node_memory.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::row_ring_test {

namespace {

constexpr int width = 3, history = 20, longest = 7;

/// The value of row t at a column; -1 before the first row.
float value_of(int row, int column) {
    return row < 0 ? -1.f : static_cast<float>(10 * row + column);
}

struct Writer {
    RowRing ring{width, history, longest};
    int written = 0;

    Writer() {
        const std::vector<float> before(width, -1.f);
        ring.start(before.data());
    }
    void write(int frames, int stride) {
        std::vector<float> rows(static_cast<std::size_t>(frames * stride));
        for (int k = 0; k < frames; ++k)
            for (int c = 0; c < width; ++c) rows[k * stride + c] = value_of(written + k, c);
        ring.write(rows.data(), stride, frames);
        written += frames;
    }
    /// True if every delay returns what was written then, in pieces that follow on one another. `pieces`: the
    /// largest number of pieces that it took.
    bool right(int frames, int& pieces) const {
        bool all = true;
        for (int delay = 0; delay <= history; ++delay) {
            int next = 0, count = 0;
            ring.each(delay, frames, [&](const float* rows, int stride, int first, int rows_here) {
                all = all && first == next;
                for (int k = 0; k < rows_here; ++k)
                    for (int c = 0; c < width; ++c)
                        all =
                            all && rows[k * stride + c] == value_of(written - frames + first + k - delay, c);
                next += rows_here, ++count;
            });
            all = all && next == frames;
            pieces = std::max(pieces, count);
        }
        return all;
    }
};

/// A ring as a node's whole state.
struct Keeper final : Node {
    Writer writer;

    void process(const Block&) noexcept override {}
    void list_state(StateList& list) override { list.add(writer.ring); }
};

}  // namespace

TEST_CASE("row ring: it returns what was written, in blocks of any size, and rows lie side by side") {
    for (const int stride : {width, width + 5}) {
        Writer writer;
        int pieces = 0;
        for (int k = 0; writer.written < 5 * (history + longest); ++k) {
            const int frames = 1 + k * 5 % longest;
            writer.write(frames, stride);
            REQUIRE(writer.right(frames, pieces));
        }
        CHECK(pieces == 2);  // the row of the start, and the written ones
        int later = 0;
        writer.write(longest, stride);
        REQUIRE(writer.right(longest, later));
        CHECK(later == 1);
    }
}

TEST_CASE("row ring: a copy says the same, young or old") {
    for (const int blocks : {0, 2, 30}) {
        Keeper one, other;
        const NodeMemory memory_of_one(one);
        NodeMemory memory_of_other(other);
        for (int k = 0; k < blocks; ++k) one.writer.write(longest, width);
        other.writer.write(longest, width);  // what is copied over
        memory_of_other.copy(memory_of_one);
        other.writer.written = one.writer.written;
        for (int k = 0; k < 9; ++k) {
            other.writer.write(4, width);
            int pieces = 0;
            REQUIRE(other.writer.right(4, pieces));
        }
    }
}

}  // namespace gainstage::test::row_ring_test
