#pragma once
/// Sound cards for the test alone. ALSA finds them by their names, in this process and in those that it
/// starts.

#include <string>
#include <vector>

#include "tests/support/card_state.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test {

class TestCards {
public:
    struct Card {
        std::string name;
        CardAbility ability = {};
    };
    /// While it lives, ALSA knows these cards and no other.
    explicit TestCards(const std::vector<Card>&);
    ~TestCards();
    TestCards(const TestCards&) = delete;
    TestCards& operator=(const TestCards&) = delete;

    /// In the order in which they were given.
    CardState& operator[](int card) { return *states_[card]; }

private:
    CardState* add(const Card&);

    const TemporaryFolder folder_;
    std::string config_;
    std::vector<CardState*> states_;
};

}  // namespace gainstage::test
