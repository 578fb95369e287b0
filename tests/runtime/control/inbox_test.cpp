#include "runtime/control/inbox.hpp"

#include <poll.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "tests/support/catch.hpp"

namespace gainstage::test::inbox_test {

namespace {

using Kind = Command::Kind;

Command knob(const std::string& address, float value, std::vector<std::string>& answers) {
    return {.kind = Kind::set, .address = address, .value = value, .reply = [&answers](const Answer& answer) {
                answers.push_back(answer.done ? "done" : answer.reason);
            }};
}

/// "a=1 panic b=2"
std::string written(const std::vector<Command>& commands) {
    std::string text;
    for (const Command& command : commands) {
        if (!text.empty()) text += ' ';
        text += command.kind == Kind::set
                    ? command.address + '=' + std::to_string(static_cast<int>(command.value))
                : command.kind == Kind::panic ? "panic"
                : command.kind == Kind::quit  ? "quit"
                : command.kind == Kind::scene ? "scene" + std::to_string(command.choice.number)
                                              : "other";
    }
    return text;
}

bool is_readable(int fd) {
    pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, 0) == 1;
}

}  // namespace

TEST_CASE("commands leave the inbox in the order in which they came, and its descriptor says when") {
    std::vector<std::string> answers;
    Inbox inbox;
    CHECK_FALSE(is_readable(inbox.fd()));
    inbox.post(knob("a", 1, answers));
    inbox.post({.kind = Kind::panic});
    inbox.post(knob("b", 2, answers));
    CHECK(is_readable(inbox.fd()));
    CHECK(written(inbox.take().commands) == "a=1 panic b=2");
    CHECK_FALSE(is_readable(inbox.fd()));
    CHECK(inbox.take().commands.empty());
    CHECK(answers.empty());  // whoever took them answers
}

TEST_CASE("a set replaces the waiting one of its address, and overtakes nothing") {
    std::vector<std::string> answers;
    Inbox inbox;
    inbox.post(knob("a", 1, answers));
    inbox.post(knob("b", 1, answers));
    inbox.post({.kind = Kind::panic});
    inbox.post(knob("a", 2, answers));
    CHECK(answers == std::vector<std::string>{"replaced by a later one"});
    CHECK(written(inbox.take().commands) == "b=1 panic a=2");
    CHECK(inbox.counts().replaced == 1);
    inbox.post(knob("a", 3, answers));  // none waits any more
    CHECK(answers.size() == 1);
    CHECK(written(inbox.take().commands) == "a=3");
}

TEST_CASE("a full inbox refuses what comes, by name and counted, but never a panic or a quit") {
    std::vector<std::string> answers;
    Inbox inbox(3);
    for (const char* address : {"a", "b", "c", "d", "e"}) inbox.post(knob(address, 1, answers));
    CHECK(answers == std::vector<std::string>{"busy", "busy"});
    CHECK(inbox.counts().busy == 2);
    inbox.post(knob("b", 2, answers));  // takes the place of the one that waits
    CHECK(answers.back() == "replaced by a later one");
    int panics = 0;
    for (int k = 0; k < 1'000; ++k)
        inbox.post({.kind = Kind::panic, .reply = [&](const Answer& answer) { panics += answer.done; }});
    inbox.post({.kind = Kind::quit});
    CHECK(panics == 999);  // one waits and serves them all
    CHECK(written(inbox.take().commands) == "a=1 c=1 b=2 panic quit");
}

TEST_CASE("scenes, songs and the master's mute are never refused, nor overtaken by a set") {
    std::vector<std::string> answers;
    Inbox inbox(2);
    const auto scene = [&](int number) {
        inbox.post({.kind = Kind::scene,
                    .choice = {.kind = Choice::Kind::number, .number = number},
                    .reply = [&](const Answer& answer) { answers.push_back(answer.reason); }});
    };
    for (const char* address : {"a", "b", "c"}) inbox.post(knob(address, 1, answers));
    CHECK(answers == std::vector<std::string>{"busy"});
    scene(1);
    inbox.post(knob("master.mute", 1, answers));
    inbox.post(knob("a", 2, answers));  // behind the scene, not where the first one was
    scene(2);
    CHECK(answers == std::vector<std::string>{"busy", "replaced by a later one"});
    CHECK(written(inbox.take().commands) == "b=1 scene1 master.mute=1 a=2 scene2");

    // However many come while the loop stands still, the memory is bounded and the latest are kept.
    answers.clear();
    for (int k = 1; k <= 5'000; ++k) scene(k);
    const std::vector<Command> kept = inbox.take().commands;
    CHECK(kept.size() == Inbox::most_choices);
    CHECK(kept.back().choice.number == 5'000);
    CHECK(kept.front().choice.number == 5'001 - static_cast<int>(Inbox::most_choices));
    CHECK(answers.size() == 5'000 - Inbox::most_choices);
}

TEST_CASE("commands are taken in lots, in their order, and the descriptor says that more wait") {
    std::vector<std::string> answers;
    Inbox inbox;
    for (const char* address : {"a", "b", "c", "d", "e"}) inbox.post(knob(address, 1, answers));
    CHECK(written(inbox.take(2).commands) == "a=1 b=1");
    CHECK(is_readable(inbox.fd()));
    CHECK(written(inbox.take_commands(2)) == "c=1 d=1");
    CHECK(written(inbox.take(2).commands) == "e=1");
    CHECK_FALSE(is_readable(inbox.fd()));
    CHECK(inbox.take_commands(2).empty());
}

TEST_CASE("an answer carries the command's id") {
    std::string seen;
    Inbox inbox(0);
    inbox.post({.kind = Kind::sync, .id = "42", .reply = [&](const Answer& answer) {
                    seen = answer.id + (answer.done ? " done" : " " + answer.reason);
                }});
    CHECK(seen == "42 busy");
}

TEST_CASE("many threads post: every command is answered or taken, once, and results are never refused") {
    Inbox inbox(16);
    constexpr int threads = 4, each = 5'000;
    std::atomic<int> answered{0}, results{0};
    std::atomic<bool> posting{true}, was_bounded{true};
    std::vector<std::thread> senders;
    for (int t = 0; t < threads; ++t)
        senders.emplace_back([&, t] {
            for (int k = 0; k < each; ++k) {
                inbox.post({.kind = k % 7 == 0 ? Kind::panic : Kind::set,
                            .address = std::to_string(t * 100 + k % 30),
                            .reply = [&](const Answer&) { ++answered; }});
                if (k % 10 == 0) inbox.bring([&] { ++results; });
            }
        });
    std::thread reader([&] {
        while (posting || is_readable(inbox.fd())) {
            Inbox::Mail mail = inbox.take();
            was_bounded = was_bounded && mail.commands.size() <= 18;  // 16, a panic, a quit
            for (const auto& result : mail.results) result();
            for (const Command& command : mail.commands) command.answer(true);
        }
    });
    for (std::thread& sender : senders) sender.join();
    posting = false;
    reader.join();
    CHECK(was_bounded);
    CHECK(answered == threads * each);
    CHECK(results == threads * each / 10);
    CHECK(inbox.counts().posted == threads * each);
}

}  // namespace gainstage::test::inbox_test
