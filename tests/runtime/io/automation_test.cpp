#include <filesystem>
#include <fstream>
#include <random>

#include "runtime/io/automation_file.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::automation_test {

namespace {

Automation parse(const std::string& text) {
    return parse_automation(text, "moves.csv");
}

/// The texts of all problems, one per line.
std::string problems_of(const std::string& text) {
    std::string all;
    for (const Problem& problem : parse(text).problems) all += problem.text() + "\n";
    return all;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Lines of seconds, target and value are moves") {
    const auto [moves, problems] = parse("0,amp.gain_db,-6\n1.25,echo.bypass,1\n2e-3,amp.gain_db,+3.5");
    CHECK(problems.empty());
    REQUIRE(moves.size() == 3);
    CHECK(moves[0].seconds == 0.);
    CHECK(moves[0].target == "amp.gain_db");
    CHECK(moves[0].value == -6.f);
    CHECK(moves[1].seconds == 0.002);
    CHECK(moves[1].value == 3.5f);
    CHECK(moves[2].target == "echo.bypass");
    CHECK(moves[2].place == Place{2, 6});
}

TEST_CASE("A line may choose a scene, by any text") {
    const auto [moves, problems] =
        parse("0,scene,solo\n1,scene,\"2\"\n2,scene,\"a, \"\"b\"\"\"\n3,scenes.gain_db,4\n");
    CHECK(problems.empty());
    REQUIRE(moves.size() == 4);
    CHECK(moves[0].target == "scene");
    CHECK(moves[0].scene == "solo");
    CHECK(moves[0].place == Place{1, 3});
    CHECK(moves[1].scene == "2");
    CHECK(moves[2].scene == "a, \"b\"");
    CHECK(moves[3].scene.empty());
    CHECK(moves[3].value == 4.f);
    CHECK(contains(problems_of("0,scene,"), "moves.csv:1:9: expected the name of a scene, found nothing"));
    CHECK(contains(problems_of("x,scene,solo"), "expected seconds"));
}

TEST_CASE("Comments, blank lines, spaces, CRLF and a line of column names are skipped") {
    const auto [moves, problems] = parse(
        "\xEF\xBB\xBF# a take\r\n\r\nseconds,node.parameter,value\r\n  1 ,\tamp.gain_db , -6  \r\n   # "
        "more\r\n\r\n");
    CHECK(problems.empty());
    REQUIRE(moves.size() == 1);
    CHECK(moves[0].target == "amp.gain_db");
    CHECK(moves[0].value == -6.f);
    CHECK(moves[0].place == Place{4, 7});
}

TEST_CASE("Moves are sorted by time; moves of one time stay in the order of the file") {
    const auto moves = parse("3,a.x,1\n1,a.x,2\n3,a.x,3\n1,a.x,4\n0,a.x,5\n").moves;
    std::vector<float> values;
    for (const AutomationMove& move : moves) values.push_back(move.value);
    CHECK(values == std::vector<float>{5.f, 2.f, 4.f, 1.f, 3.f});
}

TEST_CASE("Every wrong field of a file is reported with its line and column") {
    const std::string text = problems_of(
        "0,amp.gain_db,-6\n"
        "-1,amp.gain_db,0\n"
        "soon,amp.gain_db,loud\n"
        "1,,2\n"
        "1,amp.gain_db\n"
        "1,amp.gain_db,2,3\n"
        "1,amp.gain_db,nan\n"
        "inf,amp.gain_db,1e39\n"
        "1,amp.gain_db,0x10\n"
        "1,amp.gain_db,\n"
        "1;amp.gain_db;2\n"
        "1,amp.gain_db,2 dB\n"
        "seconds,node.parameter,value\n"
        "1e7,amp.gain_db,0\n");
    CHECK(contains(text, "moves.csv:2:1: expected seconds, a number from 0 to 1000000, found \"-1\""));
    CHECK(contains(text, "moves.csv:3:1: expected seconds"));
    CHECK(contains(text, "moves.csv:3:18: expected a value, a number, found \"loud\""));
    CHECK(contains(text, "moves.csv:4:3: expected node.parameter, found nothing"));
    CHECK(contains(text, "moves.csv:5:1: expected three fields, seconds,node.parameter,value, found 2"));
    CHECK(contains(text, "moves.csv:6:1: expected three fields, seconds,node.parameter,value, found 4"));
    CHECK(contains(text, "moves.csv:7:15: expected a value"));
    CHECK(contains(text, "moves.csv:8:1: expected seconds"));
    CHECK(contains(text, "moves.csv:8:17: expected a value"));
    CHECK(contains(text, "moves.csv:9:15: expected a value"));
    CHECK(contains(text, "moves.csv:10:15: expected a value"));
    CHECK(contains(text, "moves.csv:11:1: expected three fields"));
    CHECK(contains(text, "moves.csv:12:15: expected a value"));
    CHECK(contains(text,
                   "moves.csv:13:1: expected seconds"));  // column names are allowed in the first line only
    CHECK(contains(text, "moves.csv:14:1: expected seconds"));
}

TEST_CASE("Spreadsheets' quotes, semicolons, tabs and decimal commas are read") {
    const auto move = [](const std::string& text) {
        const auto [moves, problems] = parse(text);
        for (const Problem& problem : problems) FAIL_CHECK(problem.text());
        REQUIRE(moves.size() == 1);
        CHECK(moves[0].target == "vol.gain_db");
        CHECK(moves[0].seconds == 0.5);
        return moves[0].value;
    };
    CHECK(move("seconds;node.parameter;value\n0,5;vol.gain_db;-10\n") == -10.f);
    CHECK(move("0,5;vol.gain_db;-1,25") == -1.25f);
    CHECK(move("0.5;vol.gain_db;-1.25") == -1.25f);
    CHECK(move("0,5\tvol.gain_db\t-1,25\r\n") == -1.25f);
    CHECK(move("\"seconds\",\"node.parameter\",\"value\"\n\"0.5\",\"vol.gain_db\",\"-10\"\n") == -10.f);
    CHECK(move("\"0,5\";\"vol.gain_db\";\"-10,5\"\n") == -10.5f);
    CHECK(move(" 0.5 , \"vol.gain_db\" ,\" -10 \"") == -10.f);
    CHECK(move("Seconds,Node,Value\n0.5,vol.gain_db,3") == 3.f);
    CHECK(move("0.5,\tvol.gain_db\t, 3") == 3.f);  // tabs as blanks
}

TEST_CASE("Lines end in CR, too, and keep their numbers") {
    const auto [moves, problems] =
        parse("# a take\rseconds,node.parameter,value\r0.5,vol.gain_db,-10\r1,vol.gain_db,x\r");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].place == Place{4, 15});
    REQUIRE(moves.size() == 1);
    CHECK(moves[0].place == Place{3, 5});
}

TEST_CASE("What a spreadsheet or another program did to a table is named as the cause") {
    CHECK(contains(problems_of("0,5,vol.gain_db,-10"),
                   "moves.csv:1:1: expected three fields, seconds,node.parameter,value, found 4; a decimal "
                   "comma? Write a "
                   "point, or semicolons between the fields"));
    CHECK(contains(problems_of("0.5,vol.gain_db,\u221210"), "a typographic minus sign"));
    CHECK(
        contains(problems_of("0.5,\"vol.gain_db,3"), "moves.csv:1:5: a quotation mark that is never closed"));
    CHECK(contains(problems_of("\xff\xfe\x30"), "moves.csv: UTF-16 text; save the file as UTF-8"));
    CHECK(
        contains(problems_of("<html><body>404</body></html>"), "moves.csv: a web page, not the file itself"));
    CHECK(contains(problems_of("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"));
    CHECK(contains(problems_of("PK\3\4"), "a ZIP archive or an office document"));
    CHECK(parse("\xff\xfe\x30").problems[0].exit_code == 65);
}

TEST_CASE("A file of another kind is refused after a hundred lines, not after a million") {
    std::string text;
    for (int k = 0; k < 100'000; ++k) text += "la la la\n";
    const Problems problems = parse(text).problems;
    CHECK(problems.size() == 101);
    CHECK(contains(problems.back().text(), "moves.csv:101:1"));
}

TEST_CASE("An empty automation moves nothing") {
    CHECK(parse("").moves.empty());
    CHECK(parse("").problems.empty());
    CHECK(parse("seconds,node.parameter,value").problems.empty());
}

TEST_CASE("Any bytes are read or refused") {
    std::mt19937 random(29);
    const std::string letters = "0123456789.,-+e#\r\n \t\"nas\xFF;";
    for (int k = 0; k < 20'000; ++k) {
        std::string text(random() % 60, ' ');
        for (char& letter : text) letter = letters[random() % letters.size()];
        const bool is_binary = !text.empty() && random() % 8 == 0;
        if (is_binary) text[random() % text.size()] = '\0';
        const auto [moves, problems] = parse(text);
        for (const AutomationMove& move : moves) REQUIRE(move.seconds >= 0.);
        for (const Problem& problem : problems) REQUIRE((problem.place.line == 0) == is_binary);
        if (is_binary) REQUIRE((moves.empty() && problems.size() == 1));
    }
}

TEST_CASE("An automation file is read from disk, and a missing one is reported as missing") {
    const auto folder = std::filesystem::temp_directory_path();
    const std::string path = (folder / "gainstage_automation_test.csv").string();
    std::ofstream(path) << "1,amp.gain_db,2\n";
    CHECK(read_automation_file(path).moves.size() == 1);
    std::filesystem::remove(path);
    for (const std::string& wrong : {path, folder.string()}) {
        const Problems problems = read_automation_file(wrong).problems;
        REQUIRE(problems.size() == 1);
        CHECK(problems[0].exit_code == 66);
        CHECK(problems[0].file == wrong);
    }
    const Problems broken = read_automation_file("/proc/self/mem").problems;  // an error, not the end
    REQUIRE(broken.size() == 1);
    CHECK(contains(broken[0].text(), "can't be read from byte 0 on: Input/output error"));
}

}  // namespace gainstage::test::automation_test
