#include "tools/bench/peer_library.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace gainstage {

namespace {

/// dlopen looks for a bare name among the system's libraries, not in this folder.
std::string here(const std::string& path) {
    return std::filesystem::absolute(path).string();
}

template <class Function>
void find(void* library, const char* name, const std::string& path, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(library, name));
    if (!function) throw PeerError(path + ": has no function " + name + ": see tools/bench/peers/README.md");
}

}  // namespace

PeerLibrary::PeerLibrary(const std::string& path)
    : name_(std::filesystem::path(path).stem().string()),
      library_(dlopen(here(path).c_str(), RTLD_NOW | RTLD_LOCAL), [](void* library) {
          if (library) dlclose(library);
      }) {
    if (!library_) {
        const char* const why = dlerror();
        throw PeerError(path + ": cannot be loaded: " + (why ? why : "no reason given"));
    }
    find(library_.get(), "gainstage_peer_make", path, make_);
    find(library_.get(), "gainstage_peer_play", path, play_);
    find(library_.get(), "gainstage_peer_destroy", path, destroy_);
}

Player PeerLibrary::player_of(const std::string& exhibit) const {
    void* const made = make_(exhibit.c_str());
    if (!made) return {};
    const std::shared_ptr<void> model(
        made, [destroy = destroy_, library = library_](void* given) { destroy(given); });
    return [model, play = play_](const float* in, float* out, int frames) {
        play(model.get(), in, out, frames);
    };
}

}  // namespace gainstage
