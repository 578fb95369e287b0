#include "tests/nodes/contract.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/measure.hpp"

namespace gainstage::test {

namespace {

std::string difference(const Ports& a, const Ports& b) {
    for (std::size_t p = 0; p < a.size(); ++p)
        if (std::string found = bit_difference(a[p], b[p]); !found.empty())
            return "output " + std::to_string(p) + ", " + found;
    return {};
}

std::string depends_on_blocks(const NodeType& type, const NodeConfig& config, const Ports& inputs,
                              const std::vector<Move>& moves) {
    const Ports expected = NodeRunner(type, config).run(inputs, {512}, moves);
    for (const Partition partition : {Partition{1}, Partition{16}, Partition{64}, Partition::random(1),
                                      Partition::random(2, 40), Partition{max_block_frames}})
        if (std::string found = difference(NodeRunner(type, config).run(inputs, partition, moves), expected);
            !found.empty())
            return "blocks of " + std::to_string(partition.size) + ": " + found;
    return {};
}

/// The first difference in output and readings of two nodes that should do the same from here on; "" if there
/// is none.
std::string difference(NodeRunner& a, NodeRunner& b, const Ports& inputs) {
    if (std::string found = difference(a.run(inputs), b.run(inputs)); !found.empty()) return found;
    return a.readings() == b.readings() ? "" : "readings differ";
}

std::string remembers_after_reset(const NodeType& type, const NodeConfig& config, const Ports& inputs,
                                  const Ports& before, const std::vector<Move>& moves) {
    NodeRunner used(type, config), fresh(type, config);
    used.run(before, {}, moves);
    used.reset();
    fresh.follow(used);
    const std::string found = difference(used, fresh, inputs);
    return found.empty() ? found : "after reset: " + found;
}

std::string copies_badly(const NodeType& type, const NodeConfig& config, const Ports& inputs,
                         const std::vector<Move>& moves) {
    NodeRunner original(type, config), copy(type, config);
    original.run(inputs, {}, moves);
    copy.copy_state(original);
    const std::string found = difference(copy, original, inputs);
    return found.empty() ? found : "after a copy: " + found;
}

/// The rest that exact_memory_samples() asks for: the knobs move to one setting and stay there.
void rest(NodeRunner& runner, const Sound& sound) {
    std::vector<Move> moves;
    for (const ParamSpec& spec : runner.params())
        moves.push_back({0, spec.name, spec.steps > 0 ? spec.min : 0.5f * (spec.min + spec.max)});
    runner.run(Ports(runner.setup().input_channels.size(), sound), {}, moves);
}

std::string remembers_too_long(const NodeType& type, const NodeConfig& config, const Ports& inputs,
                               const std::vector<Move>& moves) {
    NodeRunner one(type, config), other(type, config), fresh(type, config);
    const std::optional<std::int64_t> exact = one.node().exact_memory_samples();
    if (!exact) return {};
    const auto longest_ramp = static_cast<int>(std::lround(0.02 * config.sample_rate_hz));
    one.run(inputs, {}, moves);
    other.run(Ports(inputs.size(), mono(white_noise(static_cast<int>(inputs[0][0].size()), 21))));
    rest(one, mono(white_noise(2 * longest_ramp, 22)));
    rest(other, mono(white_noise(2 * longest_ramp, 23)));
    fresh.follow(one);
    const Ports meanwhile(inputs.size(), mono(white_noise(static_cast<int>(*exact), 24)));
    const Ports heard = one.run(meanwhile), heard_by_other = other.run(meanwhile);
    fresh.run(meanwhile);
    if (one.node().memory_samples() > 0 && difference(heard, heard_by_other).empty())
        return "forgets at once, so that this test can't fail";
    const Ports after = one.run(inputs);
    std::string found = difference(after, other.run(inputs));
    if (found.empty()) found = difference(after, fresh.run(inputs));
    return found.empty() ? found : "after " + std::to_string(*exact) + " equal samples: " + found;
}

/// Replaces every seventh frame by NaN or an infinity.
Ports spoiled(Ports inputs) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity};
    for (Sound& sound : inputs)
        for (Channel& channel : sound)
            for (std::size_t k = 0; k < channel.size(); k += 7) channel[k] = bad[k / 7 % 3];
    return inputs;
}

}  // namespace

std::string broken_promise(const NodeType& type, const NodeConfig& config, const Ports& inputs,
                           const std::vector<Move>& moves) {
    if (std::string found = depends_on_blocks(type, config, inputs, moves); !found.empty()) return found;
    if (std::string found = remembers_after_reset(type, config, inputs, inputs, moves); !found.empty())
        return found;
    if (std::string found = remembers_after_reset(type, config, inputs, spoiled(inputs), moves);
        !found.empty())
        return "after NaN and " + found;
    if (std::string found = copies_badly(type, config, inputs, moves); !found.empty()) return found;
    return remembers_too_long(type, config, inputs, moves);
}

std::string not_finite(const NodeType& type, const NodeConfig& config, const Ports& inputs) {
    const std::size_t knobs = type.params.size();
    const int frames = static_cast<int>(inputs[0][0].size());
    for (unsigned corner = 0; corner < 1u << knobs; ++corner) {
        NodeConfig extreme = config;
        extreme.params.clear();
        std::vector<Move> moves;
        for (std::size_t i = 0; i < knobs; ++i) {
            const ParamSpec& spec = type.params[i];
            const bool high = (corner >> i & 1u) != 0;
            extreme.params.emplace_back(spec.name, high ? spec.max : spec.min);
            moves.push_back({frames / 2, spec.name, high ? spec.min : spec.max});
        }
        for (const Sound& sound : NodeRunner(type, extreme).run(inputs, {}, moves))
            if (!all_finite(sound)) return "not finite with the knobs at corner " + std::to_string(corner);
    }
    return {};
}

namespace {

constexpr int settle = 24'000, turn = 960, between_turns = 1013, turns = 20;

double roughness(const NodeType& type, const NodeConfig& config, const std::vector<Move>& moves) {
    const Channel tone = sine(settle + turns * between_turns, 100., 48'000., 0.25);
    const Channel out = NodeRunner(type, config).run(mono(tone), {}, moves)[0];
    return max_second_difference(part(out, settle - 4800));
}

}  // namespace

double staircase_left(const NodeType& type, const NodeConfig& config, const std::string& knob, float low,
                      float high) {
    std::vector<Move> glides, steps;
    for (int n = 0; n < turns; ++n) {
        const int start = settle + n * between_turns;
        const float from = n % 2 ? high : low, to = n % 2 ? low : high;
        glides.push_back({start, knob, to, 20.f});
        for (int k = 64; k <= turn; k += 64)
            steps.push_back({start + k, knob, from + (to - from) * static_cast<float>(k) / turn, 0.f});
    }
    NodeConfig at_low = config, at_high = config;
    at_low.params.insert(at_low.params.begin(), {knob, low});
    at_high.params.insert(at_high.params.begin(), {knob, high});
    const double steady = std::max(roughness(type, at_low, {}), roughness(type, at_high, {}));
    return (roughness(type, at_low, glides) - steady) / (roughness(type, at_low, steps) - steady);
}

}  // namespace gainstage::test
