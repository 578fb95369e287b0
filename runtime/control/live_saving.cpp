/// What a session writes into the patch that it plays.

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/engine/save_knobs.hpp"
#include "runtime/io/user_file.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace {

constexpr std::size_t largest_patch = std::size_t{4} << 20;

/// Throws WriteError, and std::runtime_error for what can't be written into the text.
WrittenFile write_knobs(const std::string& patch, const std::vector<WrittenValue>& values) {
    WrittenFile written{.file = patch, .former = {}, .wrote = {}};
    if (values.empty()) return written;
    std::string text;
    try {
        text = read_whole_file(patch, "patch", largest_patch);
    } catch (const FileFault& fault) {
        throw std::runtime_error(fmt::format("{}: {}", patch, fault.what()));
    }
    const ValuesWritten now = write_values(text, values, patch);
    if (has_errors(now.problems)) throw std::runtime_error(now.problems.front().text());
    written.former = replace_user_file(patch, now.text);
    for (const WrittenValue& value : values) written.wrote.push_back(value.node + "." + value.key);
    return written;
}

/// A command that waits for a job. A session that ends forgets its jobs, and answers all the same.
struct AnsweredAtLast {
    explicit AnsweredAtLast(Command asked) : command(std::move(asked)) {}
    ~AnsweredAtLast() {
        if (!is_answered) try {
                command.answer(false, "the session is over");
            } catch (...) {  // no memory, not even for an answer
            }
    }
    AnsweredAtLast(const AnsweredAtLast&) = delete;
    AnsweredAtLast& operator=(const AnsweredAtLast&) = delete;

    const Command command;
    bool is_answered = false;
};

}  // namespace

/// False: it is answered.
bool LiveSession::may_write(const Command& command) {
    if (stage_ == Stage::playing && announced_ && engine_->playing()) return true;
    answer(command, false, stage_ > Stage::playing ? "the session is ending" : "nothing plays yet");
    return false;
}

/// What was set just before must be saved too: it waits until those moves have come back.
void LiveSession::save(Command& command) {
    constexpr std::size_t most = 16;
    if (!may_write(command)) return;
    if (!command.words.empty())
        return answer(command, false,
                      "this version of Gainstage can't save a scene; `save` alone saves the knobs "
                      "that no scene names");
    if (saves_.size() >= most) return answer(command, false, "busy");
    saves_.push_back({.command = std::move(command), .at = engine_->room().now()});
}

void LiveSession::save_when_settled() {
    while (!saves_.empty() && engine_->room().now() > saves_.front().at + asked_for()) {
        const Command command = std::move(saves_.front().command);
        saves_.erase(saves_.begin());
        if (may_write(command)) save_now(command);
    }
    if (!saves_.empty()) stir();
}

void LiveSession::save_now(const Command& command) {
    write(command,
          [patch = config_.patch, values = moved_knobs(*engine_)] { return write_knobs(patch, values); });
}

void LiveSession::undo(const Command& command) {
    if (!may_write(command)) return;
    write(command, [patch = config_.patch] {
        const BroughtBack back = bring_back_user_file(patch);
        if (back.former.empty()) throw std::runtime_error("there is no former text of this patch");
        return WrittenFile{.file = patch, .former = back.former, .wrote = {}};
    });
}

/// On the builder's thread, because the disk may hang. What was written is read again, and comes by the usual
/// fade.
void LiveSession::write(const Command& command, std::function<WrittenFile()> job) {
    struct Outcome {
        WrittenFile written;
        std::string fault;
    };
    const auto outcome = std::make_shared<Outcome>();
    const auto work = [outcome, job = std::move(job)] {
        try {
            outcome->written = job();
        } catch (const std::exception& fault) {
            patiently([&] { outcome->fault = reason_of(fault); });
        }
    };
    const auto asked = std::make_shared<AnsweredAtLast>(command);
    builder_->run(work, [this, outcome, asked] {
        asked->is_answered = true;
        if (!outcome->fault.empty()) return answer(asked->command, false, outcome->fault);
        WrittenFile& written = outcome->written;
        if (!written.former.empty()) {
            say(Kind::note,
                fmt::format("{} was written; its former text is kept as {}, and `undo` brings it back",
                            written.file, written.former));
            if (!watcher_) reload({written.file});  // else the watcher sees it
        }
        answer_with(asked->command, {std::move(written)});
    });
}

}  // namespace gainstage
