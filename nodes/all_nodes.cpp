#include "nodes/all_nodes.hpp"

#include "nodes/effects/compressor.hpp"
#include "nodes/effects/crossfade.hpp"
#include "nodes/effects/dc_block.hpp"
#include "nodes/effects/delay.hpp"
#include "nodes/effects/filter.hpp"
#include "nodes/effects/gain.hpp"
#include "nodes/effects/gate.hpp"
#include "nodes/effects/input.hpp"
#include "nodes/effects/limiter.hpp"
#include "nodes/effects/meter.hpp"
#include "nodes/effects/mix.hpp"
#include "nodes/effects/output.hpp"
#include "nodes/effects/pan.hpp"
#include "nodes/effects/polarity.hpp"
#include "nodes/effects/saturate.hpp"
#include "nodes/models/ed_lstm/ed_lstm.hpp"
#include "nodes/models/grey_box/grey_box.hpp"
#include "nodes/models/recurrent/gru.hpp"
#include "nodes/models/recurrent/lstm.hpp"
#include "nodes/models/s4d/s4d.hpp"
#include "nodes/models/s6/s6.hpp"
#include "nodes/models/tcn/tcn.hpp"

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
