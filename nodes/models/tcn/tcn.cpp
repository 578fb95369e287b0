#include "nodes/models/tcn/tcn.hpp"

#include <algorithm>

#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

const NodeType& Tcn::type() {
    static const NodeType type{
        .name = "tcn",
        .summary = "A learned effect: temporal convolutional network",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "tcn",
        .prepare = prepare_node<Tcn, TcnWeights>,
        .level = simd_level,
    };
    return type;
}

Tcn::Tcn(const Setup& setup, std::shared_ptr<const TcnWeights> weights)
    : weights_(std::move(weights)),
      kernels_(product_kernels()),
      tanh_(vector_math().tanh),
      condition_(weights_->conditioning.make_scratch()),
      grid_(weights_->conditioning.controls(), weights_->conditioning.values()),
      begins_after_silence_(weights_->starts_silent) {
    int values = 0, widest = 0;
    std::vector<RowRing> past;
    for (const DilatedBlock& block : weights_->blocks) {
        first_value_.push_back(values);
        values += 2 * block.output_width();
        widest = std::max(widest, block.output_width());
        past.emplace_back(block.shape().input_width(), static_cast<int>(block.shape().history()),
                          Buffer::frames);
    }
    past_.assign(setup.channels, past);
    rows_.resize(Buffer::frames * widest);
}

/// A start writes the rows that the rings begin with: until then they are not read.
void Tcn::list_state(StateList& list) {
    list.add(grid_, begins_after_silence_);
    list.add_clock(started_);
    list.add_while(started_, past_);
    list.add_scratch(first_value_, condition_.heard, condition_.vector, condition_.network.here,
                     condition_.network.next, rows_);
}

void Tcn::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const auto network = [this](const float* knobs, float* values) {
        weights_->conditioning.evaluate(knobs, values, condition_);
    };
    for (int done = 0; done < block.frames;) {
        const int run = grid_.advance(block.params, block.time + done, block.frames - done, network);
        if (!started_) start();
        for (int into_run = 0; into_run < run; into_run += Buffer::frames)
            for (std::size_t c = 0; c < past_.size(); ++c)
                process_tile(block, static_cast<int>(c), done + into_run,
                             std::min(run - into_run, Buffer::frames), into_run);
        done += run;
    }
}

/// Fills the past of each block before the first sample: always the same row, because its input did not
/// change.
void Tcn::start() noexcept GAINSTAGE_REALTIME {
    std::fill(rows_.begin(), rows_.end(), 0.f);
    for (std::size_t n = 0; n < weights_->blocks.size(); ++n) {
        for (std::vector<RowRing>& past : past_) past[n].start(rows_.data());
        if (begins_after_silence_)
            weights_->blocks[n].run(past_[0][n], lines_of(static_cast<int>(n), 0), rows_.data(), 1);
    }
    started_ = true;
    begins_after_silence_ = true;
}

DilatedBlock::Lines Tcn::lines_of(int block, int into_run) const noexcept {
    return {.from = grid_.from() + first_value_[block],
            .slope = grid_.slope() + first_value_[block],
            .position = static_cast<float>(grid_.position() + into_run),
            .glide = grid_.gliding()};
}

/// `first`: the tile's first frame within the block; `into_run`: within the grid's run.
void Tcn::process_tile(const Block& block, int channel, int first, int frames,
                       int into_run) noexcept GAINSTAGE_REALTIME {
    const float* rows = block.in(0, channel) + first;
    int stride = 1;
    for (std::size_t n = 0; n < weights_->blocks.size(); ++n) {
        RowRing& past = past_[channel][n];
        past.write(rows, stride, frames);
        weights_->blocks[n].run(past, lines_of(static_cast<int>(n), into_run), rows_.data(), frames);
        rows = rows_.data();
        stride = weights_->blocks[n].output_width();
    }
    write_output(block.out(0, channel) + first, frames);
}

/// From the rows of the last block.
void Tcn::write_output(float* out, int frames) noexcept GAINSTAGE_REALTIME {
    const int width = weights_->blocks.back().output_width();
    if (weights_->output.empty())
        for (int k = 0; k < frames; ++k) line_.data[k] = rows_[k * width];
    else
        kernels_.dot(rows_.data(), weights_->output.data(), weights_->output_bias, width, line_.begin(),
                     frames);
    if (weights_->final_tanh) tanh_(line_.begin(), line_.begin(), frames);
    std::copy_n(line_.begin(), frames, out);
}

}  // namespace gainstage
