#include "runtime/own_folders.hpp"

#include <cstdlib>

namespace gainstage {

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

std::string own_folder(const char* variable_name, const char* in_home) {
    const std::string folder = variable(variable_name);
    if (folder.starts_with('/')) return folder + "/gainstage";
    const std::string home = variable("HOME");
    return home.starts_with('/') ? home + in_home + "/gainstage" : "";
}

}  // namespace

std::string config_folder() {
    return own_folder("XDG_CONFIG_HOME", "/.config");
}

std::string state_folder() {
    return own_folder("XDG_STATE_HOME", "/.local/state");
}

}  // namespace gainstage
