#include "tests/support/test_nodes.hpp"

#include <chrono>
#include <cstdio>
#include <limits>
#include <mutex>
#include <new>

#include "tests/support/engine_rig.hpp"

namespace gainstage::test {

namespace {

std::int64_t whole(const Setup& setup, const char* option) {
    return setup.options.get<std::int64_t>(option);
}

OptionSpec whole_spec(const char* name) {
    return {.name = name, .kind = OptionKind::integer, .start = "0", .min = 0, .max = 1e9};
}

class Bomb final : public Node {
public:
    explicit Bomb(const Setup& setup)
        : channels_(setup.channels),
          at_(static_cast<std::uint64_t>(whole(setup, "at"))),
          every_(static_cast<std::uint64_t>(whole(setup, "every"))),
          only_(static_cast<int>(whole(setup, "only"))),
          latency_(static_cast<int>(whole(setup, "latency"))),
          memory_(whole(setup, "memory")),
          what_(setup.options.get<std::string>("what")),
          ring_(static_cast<std::size_t>(channels_), std::vector<float>(static_cast<std::size_t>(latency_))) {
    }

    void process(const Block& block) noexcept override {
        for (int k = 0; k < block.frames; ++k) {
            const bool hit = is_hit(block.time + static_cast<std::uint64_t>(k));
            poisoned_ = poisoned_ || (hit && what_ == "stuck_nan");
            for (int c = 0; c < channels_; ++c) {
                const float clean = delayed(c, block.in(0, c)[k]);
                const bool here = only_ == 0 || only_ == c + 1;
                block.out(0, c)[k] = here && (hit || poisoned_) ? bad() : clean;
            }
            if (latency_) position_ = (position_ + 1) % latency_;
        }
    }
    void list_state(StateList& list) override { list.add(poisoned_, position_, ring_); }
    int latency_samples() const noexcept override { return latency_; }
    std::int64_t memory_samples() const noexcept override { return memory_; }

private:
    bool is_hit(std::uint64_t time) const noexcept {
        return time >= at_ && (time == at_ || (every_ && (time - at_) % every_ == 0));
    }
    float delayed(int channel, float in) noexcept {
        if (!latency_) return in;
        return std::exchange(ring_[channel][position_], in);
    }
    float bad() const noexcept {
        if (what_ == "inf") return -std::numeric_limits<float>::infinity();
        if (what_ == "loud") return 1e5f;
        if (what_ == "over") return 15.86f;  // the ceiling's default is 15.849
        if (what_ == "under") return 15.84f;
        if (what_ == "hot") return 9'999.f;  // the ceiling of plain effects is 10,000
        if (what_ == "too_hot") return 10'001.f;
        return std::numeric_limits<float>::quiet_NaN();
    }
    const int channels_;
    const std::uint64_t at_, every_;
    const int only_, latency_;
    const std::int64_t memory_;
    const std::string what_;
    std::vector<std::vector<float>> ring_;
    int position_ = 0;
    bool poisoned_ = false;
};

/// A wire without state.
class Wire : public Node {
public:
    explicit Wire(const Setup& setup) : channels_(setup.channels) {}
    void process(const Block& block) noexcept override {
        for (int c = 0; c < channels_; ++c) std::copy_n(block.in(0, c), block.frames, block.out(0, c));
    }

private:
    const int channels_;
};

volatile int sink = 0;
std::mutex mutex;
int* spare_int = nullptr;

class Offender final : public Wire {
public:
    explicit Offender(const Setup& setup)
        : Wire(setup),
          at_(static_cast<std::uint64_t>(whole(setup, "at"))),
          what_(setup.options.get<std::string>("what")) {
        if (!spare_int) spare_int = new int(1);
    }
    void process(const Block& block) noexcept override {
        Wire::process(block);
        if (at_ >= block.time && at_ < block.time + static_cast<std::uint64_t>(block.frames)) offend();
    }

private:
    void offend() noexcept {
        if (what_ == "allocate") {
            int* volatile memory = new (std::nothrow) int[100];
            delete[] memory;
        } else if (what_ == "free") {
            delete std::exchange(spare_int, nullptr);
        } else if (what_ == "lock") {
            const std::lock_guard lock(mutex);
        } else if (what_ == "print") {
            std::fputs("a line\n", stdout);
        } else {
            try {
                throw std::runtime_error("x");
            } catch (const std::exception&) {
                sink = 1;
            }
        }
    }
    const std::uint64_t at_;
    const std::string what_;
};

class Slow final : public Wire {
public:
    explicit Slow(const Setup& setup) : Wire(setup), memory_(whole(setup, "memory")) {}
    void process(const Block& block) noexcept override {
        Wire::process(block);
        if (while_warming()) while_warming()();
    }
    std::int64_t memory_samples() const noexcept override { return memory_; }

private:
    const std::int64_t memory_;
};

bool wait_for(const std::atomic<bool>& flag) noexcept {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!flag.load() && std::chrono::steady_clock::now() < end) {
    }
    return flag.load();
}

class MeetingPoint final : public Wire {
public:
    using Wire::Wire;
    void process(const Block& block) noexcept override {
        Wire::process(block);
        if (Meeting* here = meeting(); here && here->armed.load()) meet(*here, block);
    }

private:
    void meet(Meeting& here, const Block& block) noexcept {
        if (std::this_thread::get_id() == here.audio) {
            wait_for(here.worker_came);
        } else if (!here.worker_came.exchange(true)) {
            here.on_worker();
            Wire::process(block);  // the late worker writes too
            here.left = true;
        }
    }
};

NodeType wire_type(const char* name, const char* summary, std::vector<OptionSpec> options,
                   std::unique_ptr<Node> (*make)(const Setup&)) {
    return {.name = name,
            .summary = summary,
            .inputs = {{.name = "in"}},
            .outputs = {{.name = "out"}},
            .options = std::move(options),
            .make = make};
}

OptionSpec what_spec(std::vector<std::string> choices) {
    const std::string start = choices.front();
    return {.name = "what", .kind = OptionKind::choice, .start = start, .choices = std::move(choices)};
}

}  // namespace

const NodeType& bomb_type() {
    static const NodeType type =
        wire_type("bomb", "Misbehaves at a chosen sample",
                  {whole_spec("at"), whole_spec("every"), whole_spec("only"), whole_spec("latency"),
                   whole_spec("memory"),
                   what_spec({"nan", "inf", "loud", "stuck_nan", "over", "under", "hot", "too_hot"})},
                  make_node<Bomb>);
    return type;
}

const NodeType& offender_type() {
    static const NodeType type = wire_type(
        "offender", "Breaks a promise at a chosen sample",
        {whole_spec("at"), what_spec({"allocate", "free", "lock", "print", "throw"})}, make_node<Offender>);
    return type;
}

const NodeType& slow_type() {
    static const NodeType type =
        wire_type("slow", "Takes its time to warm", {whole_spec("memory")}, make_node<Slow>);
    return type;
}

std::function<void()>& while_warming() {
    static std::function<void()> hook;
    return hook;
}

const NodeType& meeting_type() {
    static const NodeType type = wire_type("meeting", "Where threads meet", {}, make_node<MeetingPoint>);
    return type;
}

Meeting*& meeting() {
    static Meeting* here = nullptr;
    return here;
}

void Meeting::stay() const {
    wait_for(released);
}

NodeTypes nodes_for_tests() {
    static const std::vector<NodeType> types = [] {
        std::vector<NodeType> list(all_nodes().begin(), all_nodes().end());
        for (const NodeType* type : {&bomb_type(), &offender_type(), &slow_type(), &meeting_type()})
            list.push_back(*type);
        return list;
    }();
    return types;
}

}  // namespace gainstage::test
