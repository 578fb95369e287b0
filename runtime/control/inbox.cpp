#include "runtime/control/inbox.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace gainstage {

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

namespace {

bool is_choice(const Command& command) {
    return command.kind == Command::Kind::scene || command.kind == Command::Kind::song;
}

}  // namespace

bool Inbox::has(Command::Kind kind) const {
    return std::any_of(mail_.commands.begin(), mail_.commands.end(),
                       [&](const Command& waiting) { return waiting.kind == kind; });
}

std::size_t Inbox::count_of_urgent() const {
    return static_cast<std::size_t>(std::count_if(mail_.commands.begin(), mail_.commands.end(), is_urgent));
}

template <class IsSo>
void Inbox::replace_first(IsSo is_so, std::vector<Left>& left) {
    const auto first = std::find_if(mail_.commands.begin(), mail_.commands.end(), is_so);
    if (first == mail_.commands.end()) return;
    ++counts_.replaced;
    left.push_back({.command = std::move(*first), .reason = "replaced by a later one"});
    mail_.commands.erase(first);
}

std::vector<Inbox::Left> Inbox::admit(Command&& command) {
    std::vector<Left> left;
    std::vector<Command>& waiting = mail_.commands;
    if (command.kind == Command::Kind::panic || command.kind == Command::Kind::quit) {
        if (has(command.kind))
            left.push_back({.command = std::move(command), .done = true});
        else
            waiting.push_back(std::move(command));
        return left;
    }
    if (command.kind == Command::Kind::set)
        replace_first(
            [&](const Command& other) {
                return other.kind == Command::Kind::set && other.address == command.address;
            },
            left);
    const std::size_t urgent = count_of_urgent();
    if (is_choice(command) && urgent >= most_choices) replace_first(is_choice, left);
    if (is_urgent(command) || waiting.size() - urgent < capacity_) {
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

std::vector<Command> Inbox::first_commands(std::size_t most) {
    std::vector<Command>& waiting = mail_.commands;
    if (waiting.size() <= most) return std::exchange(waiting, {});
    const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(most);
    std::vector<Command> first(std::make_move_iterator(waiting.begin()), std::make_move_iterator(end));
    waiting.erase(waiting.begin(), end);
    return first;
}

Inbox::Mail Inbox::take(std::size_t most) {
    wake_.clear();
    const std::lock_guard lock(mutex_);
    Mail mail{.results = std::exchange(mail_.results, {}), .commands = first_commands(most)};
    if (!mail_.commands.empty()) wake_.call();
    return mail;
}

std::vector<Command> Inbox::take_commands(std::size_t most) {
    const std::lock_guard lock(mutex_);
    return first_commands(most);
}

Inbox::Counts Inbox::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace gainstage
