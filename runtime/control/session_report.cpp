#include "runtime/control/session_report.hpp"

#include "runtime/control/answer.hpp"
#include "runtime/control/command.hpp"

#include <utility>

namespace gainstage {

using Kind = SessionReport::Kind;

namespace {

Kind kind_of(EngineNews::Kind kind) {
    switch (kind) {
        case EngineNews::Kind::started:
            return Kind::fade;
        case EngineNews::Kind::finished:
            return Kind::playing;
        case EngineNews::Kind::unchanged:
            return Kind::unchanged;
        case EngineNews::Kind::failed:
            return Kind::failed;
        case EngineNews::Kind::tripped:
            return Kind::quarantine;
        case EngineNews::Kind::latched:
            return Kind::latched;
        case EngineNews::Kind::stalled:
            return Kind::stalled;
        case EngineNews::Kind::returned:
            return Kind::returned;
        case EngineNews::Kind::clamped:
            return Kind::clamped;
        case EngineNews::Kind::guarded:
            return Kind::guarded;
        case EngineNews::Kind::event:
            return Kind::event;
        case EngineNews::Kind::lost:
            return Kind::lost;
        case EngineNews::Kind::silent:
            return Kind::silent;
        case EngineNews::Kind::note:
            break;
    }
    return Kind::note;
}

std::shared_ptr<const PlayedPatch> played(const Graph& graph) {
    auto patch = std::make_shared<PlayedPatch>();
    patch->file = graph.file;
    patch->text = graph.patch_text;
    patch->folder = graph.folder;
    patch->link_folders = graph.link_folders;
    for (const GraphNode& node : graph.nodes)
        if (node.model)
            patch->models.push_back(
                {.path = node.model->file, .hash = node.model->content_hash, .model = node.model});
    return patch;
}

}  // namespace

SessionReport report_of(const EngineNews& news, double rate_hz) {
    return {.kind = kind_of(news.kind),
            .at = news.stamp,
            .seconds = static_cast<double>(news.stamp) / rate_hz,
            .text = news.text,
            .node = news.node,
            .event = news.event,
            .parameter = news.parameter,
            .warmed = news.warmed,
            .warm_from = news.warm_from,
            .swapped = news.swapped,
            .returned = news.returned,
            .patch = news.graph ? played(*news.graph) : nullptr,
            .loss = news.loss};
}

SessionReport report_of(const Loss& loss, std::uint64_t at, double rate_hz) {
    SessionReport report{.kind = Kind::lost};
    report.at = at;
    report.seconds = static_cast<double>(at) / rate_hz;
    report.text = text_of(loss, rate_hz);
    report.loss = loss;
    return report;
}

SessionReport report_of(const Answer& answer) {
    SessionReport report{.kind = answer.done ? Kind::done : Kind::refused};
    report.at = answer.at;
    report.seconds = answer.seconds;
    report.answer = std::make_shared<const Answer>(answer);
    return report;
}

const char* word_of(Kind kind) {
    switch (kind) {
        case Kind::started:
            return "started";
        case Kind::fade:
            return "fade";
        case Kind::playing:
            return "playing";
        case Kind::returned:
            return "returned";
        case Kind::unchanged:
            return "unchanged";
        case Kind::problem:
            return "problem";
        case Kind::failed:
            return "failed";
        case Kind::refusal:
            return "refusal";
        case Kind::note:
            return "note";
        case Kind::quarantine:
            return "quarantine";
        case Kind::latched:
            return "latched";
        case Kind::stalled:
            return "stalled";
        case Kind::clamped:
            return "clamped";
        case Kind::guarded:
            return "guarded";
        case Kind::event:
            return "event";
        case Kind::lost:
            return "lost";
        case Kind::xrun:
            return "xrun";
        case Kind::device_lost:
            return "device_lost";
        case Kind::silent:
            return "silent";
        case Kind::done:
            return "done";
        case Kind::refused:
            return "refused";
        case Kind::status:
            return "status";
        case Kind::summary:
            return "summary";
    }
    return "note";
}

}  // namespace gainstage
