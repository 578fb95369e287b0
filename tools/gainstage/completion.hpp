#pragma once
/// What a shell may offer for a value on the command line.

#include <string>
#include <vector>

namespace gainstage {

struct Offer {
    std::string value, summary;
};

struct Offers {
    std::vector<Offer> values;
    std::string
        endings;  ///< of files that fit too, without dots: "toml safetensors"; "*": any file; "": no file
};

/// The endings of the files that an argument takes, as in Offers.
std::string endings_for(const std::string& command, const std::string& argument);

/// For an argument of a command: an option ("--device") or a positional one ("patch"). `begun`: what is typed
/// of it; `words`: those behind the command so far. Asks for devices and ports where they are wanted, and
/// reads the patch where its scenes are. Empty for numbers and free texts.
Offers offers_for(const std::string& command, const std::string& argument, const std::string& begun,
                  const std::vector<std::string>& words);

/// Prints what begins with `begun`, for the scripts in tools/install: the endings on a line, then a line
/// each, the value and its summary with a tab between them.
void print_offers(const Offers&, const std::string& begun);

}  // namespace gainstage
