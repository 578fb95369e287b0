#include "nodes/all_nodes.hpp"

#include "nodes/compressor.hpp"
#include "nodes/crossfade.hpp"
#include "nodes/dc_block.hpp"
#include "nodes/delay.hpp"
#include "nodes/ed_lstm.hpp"
#include "nodes/filter.hpp"
#include "nodes/gain.hpp"
#include "nodes/gate.hpp"
#include "nodes/grey_box.hpp"
#include "nodes/gru.hpp"
#include "nodes/input.hpp"
#include "nodes/limiter.hpp"
#include "nodes/lstm.hpp"
#include "nodes/meter.hpp"
#include "nodes/mix.hpp"
#include "nodes/output.hpp"
#include "nodes/pan.hpp"
#include "nodes/polarity.hpp"
#include "nodes/s4d.hpp"
#include "nodes/s6.hpp"
#include "nodes/saturate.hpp"
#include "nodes/tcn.hpp"

namespace gainstage {

NodeTypes all_nodes() {
    static const std::vector<NodeType> types{
        // one a line
        // clang-format off
        Input::type(),
        Output::type(),
        Gain::type(),
        Mix::type(),
        Pan::type(),
        Polarity::type(),
        Delay::type(),
        Filter::type(),
        DcBlock::type(),
        Saturate::type(),
        Gate::type(),
        Limiter::type(),
        Meter::type(),
        Crossfade::type(),
        Compressor::type(),
        GreyBox::type(),
        S4d::type(),
        S6::type(),
        EdLstm::type(),
        Tcn::type(),
        Lstm::type(),
        Gru::type(),
        // clang-format on
    };
    return types;
}

}  // namespace gainstage
