#include "runtime/control/inbox.hpp"

#include <algorithm>
#include <utility>

namespace gainstage {

using Kind = Command::Kind;

void Inbox::post(Command command) {
    std::vector<Left> left;
    {
        const std::lock_guard lock(mutex_);
        ++counts_.posted;
        left = admit(std::move(command));
    }
    wake_.call();
    for (Left& one : left) one.command.answer(one.done, std::move(one.reason));
}

bool Inbox::has(Kind kind) const {
    return std::any_of(mail_.commands.begin(), mail_.commands.end(),
                       [&](const Command& waiting) { return waiting.kind == kind; });
}

std::vector<Inbox::Left> Inbox::admit(Command&& command) {
    std::vector<Left> left;
    std::vector<Command>& waiting = mail_.commands;
    if (command.kind == Kind::panic || command.kind == Kind::quit) {
        if (has(command.kind))
            left.push_back({.command = std::move(command), .done = true});
        else
            waiting.push_back(std::move(command));
        return left;
    }
    if (command.kind == Kind::set) {
        const auto same = std::find_if(waiting.begin(), waiting.end(), [&](const Command& other) {
            return other.kind == Kind::set && other.address == command.address;
        });
        if (same != waiting.end()) {
            ++counts_.replaced;
            left.push_back({.command = std::move(*same), .reason = "replaced by a later one"});
            waiting.erase(same);
        }
    }
    if (waiting.size() < capacity_) {
        waiting.push_back(std::move(command));
    } else {
        ++counts_.busy;
        left.push_back({.command = std::move(command), .reason = "busy"});
    }
    return left;
}

void Inbox::put(std::function<void()>&& result) {
    {
        const std::lock_guard lock(mutex_);
        mail_.results.push_back(std::move(result));
    }
    wake_.call();
}

Inbox::Mail Inbox::take() {
    wake_.clear();
    const std::lock_guard lock(mutex_);
    return std::exchange(mail_, {});
}

Inbox::Counts Inbox::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace gainstage
