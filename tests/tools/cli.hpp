#pragma once
/// The built program, run as a shell runs it.

#include <sys/wait.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/support/places.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

struct Outcome {
    int exit_code = -1;
    std::string out, err;
};

inline const TemporaryFolder& scratch() {
    static const TemporaryFolder folder;
    return folder;
}

/// Runs `PROGRAM ARGUMENTS` (as a shell reads them) in the checkout's root.
inline Outcome run(const std::string& program, const std::string& arguments) {
    const std::string command = "cd " + source_dir() + " && timeout -s KILL 60 " + program + " " + arguments +
                                " >" + scratch().file("out") + " 2>" + scratch().file("err") + " </dev/null";
    const int status = std::system(command.c_str());
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = scratch().read("out"),
            .err = scratch().read("err")};
}

inline Outcome gainstage_run(const std::string& arguments) {
    return run(program_path(), arguments);
}

inline Outcome lab_run(const std::string& arguments) {
    return run(lab_path(), arguments);
}

/// Lines that begin at the margin.
inline int headings(const std::string& text) {
    int count = 0;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) count += !line.empty() && line.front() != ' ';
    return count;
}

inline std::string patch_file(const std::string& name, const std::string& nodes, const std::string& links) {
    return scratch().write(name, "format = 1\nname = \"Test\"\nlinks = " + links + "\n" + nodes);
}

inline const std::string in_and_out =
    "[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = \"output\"\nchannels = [1]\n";

}  // namespace gainstage::test
