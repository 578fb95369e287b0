#include "tests/support/test_cards.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <stdexcept>

#include "tests/support/places.hpp"

namespace gainstage::test {

TestCards::TestCards(const std::vector<Card>& cards)
    : config_("pcm_type.gainstage_test_card { lib \"" + test_card_path() + "\" }\n") {
    for (const Card& card : cards) states_.push_back(add(card));
    setenv("ALSA_CONFIG_PATH", folder_.write("asound.conf", config_).c_str(), 1);
}

TestCards::~TestCards() {
    unsetenv("ALSA_CONFIG_PATH");
    for (CardState* state : states_) munmap(state, sizeof(CardState));
}

CardState* TestCards::add(const Card& card) {
    const std::string file = folder_.file(card.name);
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(CardState)) != 0) throw std::runtime_error("no file for a test card");
    void* const memory = mmap(nullptr, sizeof(CardState), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for a test card");
    config_ += "pcm." + card.name + " { type gainstage_test_card state \"" + file + "\" }\n";
    auto* const state = new (memory) CardState;
    state->ability = card.ability;
    return state;
}

}  // namespace gainstage::test
