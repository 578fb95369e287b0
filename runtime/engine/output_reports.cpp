#include "runtime/engine/output_reports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace gainstage {

namespace {

double decibel(float amplitude) {
    return 20. * std::log10(double{amplitude});
}

std::string guard_text(const std::string& id, float peak, std::uint64_t not_numbers) {
    std::string text = id + ":";
    if (peak > 0.f)
        text += fmt::format(
            " its sound rose to {:.1f} dB above 0 dBFS and was turned down; less gain, or a "
            "limiter in front of it, keeps the level steady",
            decibel(peak));
    if (not_numbers > 0)
        text += fmt::format("{} {} sample(s) were no numbers, and silence was played instead",
                            peak > 0.f ? ";" : "", not_numbers);
    return text;
}

}  // namespace

std::vector<OutputReports::Report> OutputReports::look(const Arrangement& heard, std::uint64_t now) {
    std::vector<Report> reports;
    const auto is_there = [&](const std::string& id) {
        return std::any_of(heard.outputs.begin(), heard.outputs.end(),
                           [&](int node) { return heard.graph.nodes[node].id == id; });
    };
    std::erase_if(seen_, [&](const auto& entry) {  // gone, and nothing is to be told of it in the end
        return entry.second.total.first == OutputWatch::never && !is_there(entry.first);
    });
    for (auto& [id, seen] : seen_)
        if (!is_there(id)) seen.slot = nullptr;  // another instance may get its address
    for (const int node : heard.outputs) {
        const Slot& slot = *heard.slots[node];
        OutputWatch* watch = slot.node->output_watch();
        if (!watch) continue;
        Seen& seen = seen_[slot.description.id];
        take_in(seen, slot, *watch, now);
        tell(seen, now, reports);
        tell_offsets(seen, slot, *watch, now, reports);
    }
    return reports;
}

void OutputReports::take_in(Seen& seen, const Slot& slot, OutputWatch& watch, std::uint64_t now) {
    if (seen.slot != &slot) {
        seen.total.node = slot.description.id;
        seen.softened = seen.not_numbers = 0;
        seen.has_offset = {};
        seen.slot = &slot;
    }
    const std::uint64_t softened = watch.softened.load(std::memory_order_relaxed),
                        not_numbers = watch.not_numbers.load(std::memory_order_relaxed);
    if (softened == seen.softened && not_numbers == seen.not_numbers) return;
    // The writer may be between the two, so one of them may come with the next look.
    const std::uint64_t since = std::min(watch.since.exchange(OutputWatch::never), now);
    const float peak = watch.peak.exchange(0.f);
    const std::uint64_t fresh = not_numbers - std::exchange(seen.not_numbers, not_numbers);
    seen.total.softened_s +=
        static_cast<double>(softened - std::exchange(seen.softened, softened)) / rate_hz_;
    if (peak == 0.f && fresh == 0) return;  // the way back to full level
    seen.since = std::min(seen.since, since);
    seen.peak = std::max(seen.peak, peak);
    seen.new_not_numbers += fresh;
    seen.total.first = std::min(seen.total.first, since);
    seen.total.peak = std::max(seen.total.peak, peak);
    seen.total.not_numbers += fresh;
}

void OutputReports::tell(Seen& seen, std::uint64_t now, std::vector<Report>& reports) const {
    if (seen.since == OutputWatch::never || now < seen.next_report) return;
    const std::string& id = seen.total.node;
    reports.push_back(
        {.stamp = std::exchange(seen.since, OutputWatch::never),
         .node = id,
         .text = guard_text(id, std::exchange(seen.peak, 0.f), std::exchange(seen.new_not_numbers, 0))});
    seen.next_report = now + static_cast<std::uint64_t>(std::llround(rate_hz_));
}

void OutputReports::tell_offsets(Seen& seen, const Slot& slot, const OutputWatch& watch, std::uint64_t now,
                                 std::vector<Report>& reports) const {
    const auto& channels = slot.description.options.get<std::vector<int>>("channels");
    for (std::size_t c = 0; c < channels.size() && c < watch.dc.size(); ++c) {
        const float dc = watch.dc[c].load(std::memory_order_relaxed);
        const bool had = std::exchange(seen.has_offset[c], dc != 0.f);
        if (dc == 0.f || had) continue;
        reports.push_back(
            {.stamp = now,
             .node = slot.description.id,
             .text = fmt::format("{}: an offset (DC) of {:.1f} dBFS has been on device channel {} for 2 s; a "
                                 "node of type dc_block in front of it takes it away",
                                 slot.description.id, decibel(std::abs(dc)), channels[c]),
             .is_offset = true});
    }
}

std::vector<OutputReports::Total> OutputReports::totals() const {
    std::vector<Total> all;
    for (const auto& [id, seen] : seen_)
        if (seen.total.first != OutputWatch::never) all.push_back(seen.total);
    return all;
}

}  // namespace gainstage
