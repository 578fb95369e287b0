#include "runtime/plan/merge.hpp"

#include <algorithm>

namespace gainstage {

namespace {

bool is_sink(const Slot& slot) {
    return slot.description.output_channels.empty();
}

class Merging {
public:
    Merging(const Arrangement& old, const Arrangement& now)
        : old_(old), now_(now), old_of_now_(now.slots.size(), -1) {
        merged_.wiring.slots = now.slots;
        merged_.part_of_old.reserve(old.slots.size());
        for (std::size_t n = 0; n < old.slots.size(); ++n) {
            const int same = now.node_of(old.slots[n]->key);
            if (same >= 0 && now.slots[same] == old.slots[n]) {
                merged_.part_of_old.push_back(same);
                old_of_now_[same] = static_cast<int>(n);
            } else {
                merged_.part_of_old.push_back(static_cast<int>(merged_.wiring.slots.size()));
                merged_.wiring.slots.push_back(old.slots[n]);
                leaving_.push_back(static_cast<int>(n));
            }
        }
    }

    Merged run() {
        Wiring& wiring = merged_.wiring;
        wiring.feeds = now_.feeds;
        for (int n = 0; n < static_cast<int>(now_.slots.size()); ++n) add_before(n);
        for (const int n : leaving_) add_leaving(n);
        note_who_remembers();
        if (!anything_fades()) wiring.before = {};
        return std::move(merged_);
    }

private:
    /// A feed of the old arrangement, by the parts that stand for its nodes.
    Feed translated(Feed feed) {
        feed_.clear();
        for (const Source& source : feed) feed_.push_back({merged_.part_of_old[source.part], source.port});
        return feed_;
    }

    void add_before(int n) {
        const int before = old_of_now_[n];
        merged_.wiring.before.add_part();
        for (int p = 0; p < now_.feeds.ports(n); ++p) {
            if (before >= 0)
                merged_.wiring.before.add_port(translated(old_.feeds.feed(before, p)));
            else if (is_sink(*now_.slots[n]))
                merged_.wiring.before.add_port();  // it fades in from silence
            else
                merged_.wiring.before.add_port(now_.feeds.feed(n, p));
        }
    }

    void add_leaving(int n) {
        const bool fades_out = is_sink(*old_.slots[n]);
        merged_.wiring.feeds.add_part();
        merged_.wiring.before.add_part();
        for (int p = 0; p < old_.feeds.ports(n); ++p) {
            const Feed heard = translated(old_.feeds.feed(n, p));
            merged_.wiring.before.add_port(heard);
            merged_.wiring.feeds.add_port(fades_out ? Feed{} : heard);
        }
    }

    /// Of two nodes that share a history, the leaving one still writes what both hear.
    void note_who_remembers() {
        std::vector<const History*> written;
        for (const int n : leaving_)
            for (const auto& history : old_.slots[n]->input_histories)
                if (history) written.push_back(history.get());
        if (written.empty()) return;
        std::sort(written.begin(), written.end());
        merged_.wiring.remembers.assign(merged_.wiring.slots.size(), true);
        for (std::size_t n = 0; n < now_.slots.size(); ++n)
            for (const auto& history : now_.slots[n]->input_histories)
                if (old_of_now_[n] < 0 && history &&
                    std::binary_search(written.begin(), written.end(), history.get()))
                    merged_.wiring.remembers[n] = false;
    }

    bool anything_fades() const {
        const Wiring& wiring = merged_.wiring;
        for (int part = 0; part < wiring.feeds.parts(); ++part)
            for (int p = 0; p < wiring.feeds.ports(part); ++p)
                if (wiring.fades(part, p)) return true;
        return false;
    }

    const Arrangement& old_;
    const Arrangement& now_;
    Merged merged_;
    std::vector<int> old_of_now_;  // per node of now_: the node of old_ that lives on in it, or -1
    std::vector<int> leaving_;     // nodes of old_
    std::vector<Source> feed_;     // the latest translated one
};

}  // namespace

Merged merge(const Arrangement& old, const Arrangement& now) {
    return Merging(old, now).run();
}

}  // namespace gainstage
