/// Commands as text: what is understood, and what is said of the rest.

#include "runtime/control/parse_command.hpp"

#include <random>

#include "runtime/control/command_lines.hpp"
#include "runtime/control/inbox.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::parse_command_test {

using Kind = Command::Kind;

namespace {

Command read(const std::string& line) {
    const ParsedCommand parsed = parse_command(line);
    INFO(line << ": " << parsed.problem);
    REQUIRE(parsed.command);
    CHECK(parsed.problem.empty());
    return *parsed.command;
}

std::string problem(const std::string& line) {
    const ParsedCommand parsed = parse_command(line);
    INFO(line);
    CHECK_FALSE(parsed.command);
    return parsed.problem;
}

}  // namespace

TEST_CASE("every command of the vocabulary is read") {
    const Command set = read("set opto.peak_reduction 35.5");
    CHECK(set.kind == Kind::set);
    CHECK(set.address == "opto.peak_reduction");
    CHECK(set.value == 35.5f);
    CHECK(set.ms < 0.f);
    CHECK(set.id.empty());
    CHECK(read("\tset  trim.gain_db   -6 250 ").ms == 250.f);
    CHECK(read("set trim.gain_db +3").value == 3.f);
    CHECK(read("set trim.gain_db 1e-1 0").ms == 0.f);
    CHECK(read("set opto.bypass on").value == 1.f);
    CHECK(read("set master.mute off").value == 0.f);
    CHECK(read("get opto.mute").kind == Kind::get);
    CHECK(read("learn opto.peak").address == "opto.peak");
    for (const char* const word : {"nodes", "status", "panic", "tap", "undo", "dump", "quit"})
        CHECK(std::string(word_of(read(word).kind)) == word);
    CHECK(read("save verse opto.peak \"a b\"").words ==
          std::vector<std::string>{"verse", "opto.peak", "a b"});
    CHECK(read("save").words.empty());
}

TEST_CASE("a scene or a song is a name, a number from 1 on, next or previous; quotation marks make a name") {
    using Which = Choice::Kind;
    CHECK(read("scene verse").choice.name == "verse");
    CHECK(read("scene verse 400").ms == 400.f);
    CHECK(read("scene next").choice.kind == Which::next);
    CHECK(read("song previous").choice.kind == Which::previous);
    CHECK(read("song 3").choice.number == 3);
    CHECK(read("arm 12").choice.kind == Which::number);
    const Command named = read("song \"3\"");
    CHECK(named.choice.kind == Which::name);
    CHECK(named.choice.name == "3");
    CHECK(read("scene \"next\"").choice.name == "next");
    CHECK(read(R"(song "the \"big\" one \\ two")").choice.name == R"(the "big" one \ two)");
    CHECK(has(problem("song 0"), "column 6: expected a whole number from 1 on"));
    CHECK(has(problem("song -1"), "column 6: "));
    CHECK(has(problem("song 1.5"), "column 6: "));
    CHECK(has(problem("scene \"\""), "column 7: an empty name"));
}

TEST_CASE("an id stands before the command, and sync may have it behind") {
    CHECK(read("@7 panic").id == "7");
    CHECK(read("sync 42").id == "42");
    CHECK(read("sync").id.empty());
    CHECK(read("@x-9 sync").id == "x-9");
    CHECK(parse_command("@7 sett a.b 3").id == "7");
    CHECK(std::string(parse_command("@7 set a.b x").word) == "set");
    CHECK(has(problem("@ panic"), "column 2: expected an id of 1 to 64 bytes"));
    CHECK(has(problem("@" + std::string(65, 'a') + " panic"), "found 65"));
    CHECK(has(problem("@1 sync 2"), "column 9: this command has the id \"1\" already"));
    CHECK(has(problem("@1"), "column 3: expected a command"));
}

TEST_CASE("what is wrong is named with its column, and with the nearest name") {
    CHECK(problem("sett a.b 3") ==
          "column 1: there is no command \"sett\"; did you mean \"set\"? (commands: set, get, nodes, status, "
          "scene, song, arm, panic, tap, save, undo, dump, learn, sync, quit)");
    CHECK(has(problem("  pannic"), "column 3: there is no command \"pannic\"; did you mean \"panic\"?"));
    CHECK(has(problem("reload"), "there is no command"));
    CHECK(has(problem("set"), "column 4: expected an address (set ADDRESS VALUE [MS]), found the end"));
    CHECK(has(problem("set trim.gain_db"), "column 17: expected a value"));
    CHECK(has(problem("set trim.gain_db loud"), "column 18: expected a value, a number, found \"loud\""));
    CHECK(has(problem("set trim.gain_db on"), "column 18: "));
    CHECK(has(problem("set opto.mute yes"), "a number or on and off"));
    CHECK(has(problem("set trim.gain_db -3,5"), "a decimal comma; write a point: -3.5"));
    CHECK(has(problem("set trim.gain_db \xe2\x88\x92"
                      "3"),
              "found \"\xe2\x88\x92"
              "3\": "));
    for (const char* const no_number : {"nan", "inf", "1e999", "0x10", "--3", "+-3", "3dB", "\"\""})
        CHECK(has(problem(std::string("set a.b ") + no_number), "column 9: expected a value"));
    CHECK(has(problem("set a.b 3 -1"), "column 11: expected milliseconds, a number from 0 to 1000000"));
    CHECK(has(problem("set a.b 3 20 5"), "column 14: nothing more belongs to this command"));
    CHECK(has(problem("panic now"), "column 7: nothing more belongs to this command (panic); found \"now\""));
    CHECK(has(problem("\xc3\xa4 3"), "column 1: "));
    CHECK(has(problem("\"\xc3\xa4\xc3\xa4\" x"), "column 1: there is no command"));
    CHECK(has(problem("get \"\xc3\xa4\xc3\xa4\" x"), "column 10: nothing more"));  // characters, not bytes
}

TEST_CASE("a line that is no text, or whose quotation marks are wrong, is refused at its place") {
    CHECK(has(problem(std::string("get a\0b", 7)),
              "column 6: a command is a line of text (UTF-8); found the byte 0x00"));
    CHECK(has(problem("get \x1b[2J"), "column 5: "));
    CHECK(has(problem("get \xff\xfe"), "found the byte 0xff"));
    CHECK(has(problem("get \"a.b"), "column 5: a quotation mark that is never closed"));
    CHECK(has(problem("get \"a.b\"c"), "column 10: expected a blank"));
    CHECK(has(problem("get a\"b"), "column 6: a quotation mark in the middle"));
    CHECK(has(problem(R"(get "a\n")"), "column 7: a backslash"));
    CHECK(has(problem(R"(get "a\)"), "never closed"));
    CHECK(has(problem(""), "column 1: expected a command"));
}

TEST_CASE("a word comes back as it was") {
    for (const std::string word : {"verse", "", "a b", "say \"hi\"", "back\\slash", "\xc3\xa4"}) {
        const ParsedCommand parsed = parse_command("get " + as_word(word));
        REQUIRE(parsed.command);
        CHECK(parsed.command->address == word);
    }
}

TEST_CASE("whatever comes is answered once and in its order: obeyed or refused; remarks are passed over") {
    Inbox inbox;
    std::vector<std::string> answers;
    const auto reply = [&](const Answer& answer) {
        answers.push_back(answer.done ? "" : answer.id + " " + answer.reason);
    };
    CHECK_FALSE(post_line(inbox, "", reply));
    CHECK_FALSE(post_line(inbox, "  \t", reply));
    CHECK_FALSE(post_line(inbox, " # a remark", reply));
    CHECK(post_line(inbox, "set a.b 3", reply));
    CHECK(post_line(inbox, "@7 sett a.b 3", reply));
    post_refused(inbox, too_long_line(), reply);
    CHECK(post_line(inbox, "sync", reply));
    CHECK(answers.empty());  // in the order of the lines, when somebody takes them
    const std::vector<Command> taken = inbox.take().commands;
    REQUIRE(taken.size() == 4);
    for (const Command& command : taken) command.answer(true);
    REQUIRE(answers.size() == 4);
    CHECK(answers[0].empty());
    CHECK(has(answers[1], "7 column 4: there is no command \"sett\"; did you mean \"set\"?"));
    CHECK(has(answers[2], "longer than 4096 bytes"));
    CHECK(answers[3].empty());
    Inbox full(0);
    post_line(full, "sett", reply);
    CHECK(has(answers.back(), "did you mean \"set\"?"));  // and not "busy"

    std::mt19937 random(5);
    const std::string letters("set get@\"\\ \t.0-9\0\x80\xffqué#", 24);
    for (int k = 0; k < 20'000; ++k) {
        std::string line;
        for (int n = static_cast<int>(random() % 24); n > 0; --n) line += letters[random() % letters.size()];
        const ParsedCommand parsed = parse_command(line);
        CHECK(parsed.command.has_value() == parsed.problem.empty());
    }
}

// lines

namespace {

/// "[a][b]..!" with "!" for a line that was too long.
std::string lines_of(CommandLines& lines) {
    std::string text;
    while (const auto line = lines.next()) text += line->is_too_long ? "!" : "[" + line->text + "]";
    return text;
}

}  // namespace

TEST_CASE("bytes become lines however they are cut, with LF or CR LF; half a line waits") {
    const std::string text = "a\nbb\r\n\n\rc\nhalf";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        CommandLines lines;
        std::string found;
        for (std::size_t at = 0; at < text.size(); at += size) {
            lines.add(std::string_view(text).substr(at, size));
            found += lines_of(lines);
        }
        CHECK(found == "[a][bb][][\rc]");
        CHECK(lines.is_in_a_line());
        lines.add("\n");
        CHECK(lines_of(lines) == "[half]");
        CHECK_FALSE(lines.is_in_a_line());
    }
}

TEST_CASE("a line that is too long is passed over once, and costs no memory; the next one is read") {
    for (const std::size_t size : {1u, 7u, 4'096u, 100'000u}) {
        CommandLines lines;
        std::string found;
        std::string text(1'000'000, 'x');
        text.append("\npanic\n").append(4'096, 'y').append("\r\n").append(4'097, 'z').append("\nquit\n");
        for (std::size_t at = 0; at < text.size(); at += size) {
            lines.add(std::string_view(text).substr(at, size));
            found += lines_of(lines);
        }
        std::string expected("![panic][");
        expected.append(4'096, 'y').append("]![quit]");
        CHECK(found == expected);
    }
}

}  // namespace gainstage::test::parse_command_test
