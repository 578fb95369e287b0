#pragma once
/// Patches and models that come with the program, by name.

#include <initializer_list>
#include <string>
#include <vector>

namespace gainstage {

enum class Shipped { patch, model };

/// What a name on the command line stands for.
struct Meant {
    std::string file;   ///< the file to open
    std::string fault;  ///< empty, or why there is none: the cause, the nearest name, all names
};

/// Finds the file that the player means. A name with a folder in it stands for itself, and a file that is
/// here always wins. Else the name may lack its ending (.toml, .safetensors), and the file may be one that
/// comes with the program: this is told on standard error, if `aloud`. `kinds` are tried in their order.
Meant meant_file(const std::string& name, std::initializer_list<Shipped> kinds, bool aloud = true);

/// The names of all that comes with the program, without their endings, in the order of their bytes. Empty
/// where the program finds none of it.
std::vector<std::string> shipped_names(Shipped);

}  // namespace gainstage
