/// Every place of a queue is written before the audio thread comes there.

#include "runtime/realtime/touch.hpp"

#include <boost/lockfree/spsc_queue.hpp>
#include <set>

#include "tests/support/catch.hpp"

namespace gainstage::test::touch_test {

namespace {

/// Notes where copies of it were made: the queue makes one in each of its places.
struct Noted {
    static std::set<const void*>& places() {
        static std::set<const void*> list;
        return list;
    }
    Noted() = default;
    Noted(const Noted&) { places().insert(this); }
    Noted& operator=(const Noted&) = default;

    int number = 7;
};

}  // namespace

TEST_CASE("touch: writes each place of a queue and leaves it empty") {
    for (const std::size_t most : {1u, 31u, 32u, 33u, 100u}) {
        INFO("a queue of " << most);
        boost::lockfree::spsc_queue<Noted> queue(most);
        Noted::places().clear();
        touch(queue, Noted{});
        CHECK(Noted::places().size() == most + 1);  // a ring has one place more than it holds
        CHECK(queue.read_available() == 0);
        CHECK(queue.write_available() == most);
    }
}

TEST_CASE("touch: a queue of none stays as it is") {
    boost::lockfree::spsc_queue<int> queue(std::size_t{0});
    touch(queue, 1);
    CHECK(queue.read_available() == 0);
}

}  // namespace gainstage::test::touch_test
