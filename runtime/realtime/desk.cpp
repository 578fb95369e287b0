#include "runtime/realtime/desk.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/realtime/samples.hpp"

namespace gainstage {

Desk::Desk(double sample_rate_hz, int decoders, KnobTrail& trail, Outbox& outbox)
    : sample_rate_hz_(sample_rate_hz),
      trail_(trail),
      outbox_(outbox),
      decoders_(static_cast<std::size_t>(decoders)) {}

class Desk::Hands final : public MidiHost {
public:
    Hands(Desk& desk, Score& score, std::uint64_t now) : desk_(desk), score_(score), now_(now) {}

    float value(const GraphTarget& target) const noexcept override {
        Slot& slot = *score_.targets[target.node].slot;
        return slot.knobs()[slot.param_of(target)].to;
    }
    void set(const GraphTarget& target, float value, float smooth_ms) noexcept override {
        TargetSlot& slots = score_.targets[target.node];
        desk_.move(slots, slots.slot->param_of(target), value, smooth_ms, now_);
    }
    void panic() noexcept override { asked_for_panic_ = true; }
    bool asked_for_panic() const noexcept { return asked_for_panic_; }

private:
    Desk& desk_;
    Score& score_;
    const std::uint64_t now_;
    bool asked_for_panic_ = false;
};

bool Desk::receive(Score& score, const Event& event, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (event.port >= decoders_.size()) return false;
    Hands hands(*this, score, now);
    score.midi->receive(decoders_[event.port].decode(event.midi), hands);
    return hands.asked_for_panic();
}

void Desk::turn(Score& score, const Event& event, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (event.key >= score.target_of_key.size()) return;
    const int index = score.target_of_key[event.key];
    if (index < 0) return;
    TargetSlot& target = score.targets[index];
    const auto& numbers = target.slot->knob_numbers;
    const auto knob = std::find(numbers.begin(), numbers.end(), event.knob);
    if (knob == numbers.end()) return;
    Event applied = event;
    applied.param = static_cast<std::int32_t>(knob - numbers.begin());
    outbox_.log({applied, now});
    move(target, applied.param, event.value, event.smooth_ms, now);
}

void Desk::follow(Score& score, const std::vector<KnobMove>& moves,
                  std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    for (const KnobMove& edited : moves) {
        const int target = score.target_of_key[edited.slot->key];
        move(score.targets[target], edited.param, edited.value, -1.f, now);
    }
}

void Desk::forget(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    trail_.add({.key = every_node, .param = -1, .ramp = {.start = now}});
}

/// During a fade the leaving instance moves too.
void Desk::move(TargetSlot& target, std::int32_t param, float value, float smooth_ms,
                std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    Slot& slot = *target.slot;
    if (param < 0 || param >= static_cast<std::int32_t>(slot.ramps.size())) return;
    const Ramp ramp = start_ramp(slot, param, value, smooth_ms, now);
    if (target.leaving) {
        const int theirs = target.leaving_param[param];
        if (theirs >= 0) start_ramp(*target.leaving, theirs, value, smooth_ms, now);
    }
    trail_.add({.key = slot.key, .param = param, .ramp = ramp});
}

Ramp Desk::start_ramp(Slot& slot, std::int32_t param, float value, float smooth_ms,
                      std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const ParamSpec& spec = slot.specs[param];
    Ramp& ramp = slot.knobs()[param];
    const float asked = std::isnan(value) ? spec.start : value;
    if (asked != value || asked < spec.min || asked > spec.max)
        outbox_.tell({.stamp = now, .key = slot.key, .param = param, .value = value});
    const float to = nearest_value(spec, asked);
    const float ms = smooth_ms >= 0.f ? smooth_ms : slot.smooth_ms(param);
    const std::uint32_t length = spec.steps > 1 ? 0 : samples_of(ms, sample_rate_hz_);
    ramp = {.start = now, .length = length, .from = ramp.at(now), .to = to};
    if (param >= slot.param_count) slot.update_plain();
    return ramp;
}

}  // namespace gainstage
