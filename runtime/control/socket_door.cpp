#include "runtime/control/socket_door.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <list>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "runtime/control/answer.hpp"
#include "runtime/control/command_lines.hpp"
#include "runtime/control/parse_command.hpp"
#include "runtime/control/wake.hpp"

namespace gainstage {

using namespace std::chrono_literals;

/// Where answers of any thread wait for the door's.
struct SocketDoor::Mailbox {
    struct Letter {
        std::uint64_t client = 0;
        Answer answer;
    };

    const Wake wake;
    std::atomic<bool> is_closed{false};
    std::mutex mutex;
    std::vector<Letter> letters;

    void put(std::uint64_t client, const Answer& answer) {
        {
            const std::lock_guard lock(mutex);
            letters.push_back({client, answer});
        }
        wake.call();
    }
    std::vector<Letter> take() {
        wake.clear();
        const std::lock_guard lock(mutex);
        return std::exchange(letters, {});
    }
};

/// All that the door's thread does.
class SocketDoor::Clients {
public:
    Clients(std::unique_ptr<SessionSocket> socket, Inbox& inbox, std::shared_ptr<Mailbox> mailbox)
        : socket_(std::move(socket)), inbox_(inbox), mailbox_(std::move(mailbox)) {}

    void serve() {
        while (!mailbox_->is_closed) try {
                turn();
            } catch (const std::bad_alloc&) {  // whoever wanted so much is not served
                clients_.clear();
            }
    }

private:
    using Clock = std::chrono::steady_clock;

    struct Client {
        Client(Descriptor fd_, std::uint64_t number_) : fd(std::move(fd_)), number(number_) {}
        Descriptor fd;
        const std::uint64_t number;
        CommandLines lines;
        std::string out;  // not sent yet
        int under_way = 0;
        bool has_ended = false;  // it sends no more
        bool is_gone = false;
        Clock::time_point heard_at = Clock::now();  // its latest line

        bool may_read() const { return !has_ended && under_way < most_under_way; }
        bool is_done() const { return is_gone || (has_ended && under_way == 0 && out.empty()); }
    };

    void turn() {
        wait();
        for (Mailbox::Letter& letter : mailbox_->take()) take(letter);
        for (std::size_t k = 0; k < polled_.size(); ++k) {
            Client& client = *polled_[k];
            const short events = waited_[first_client + k].revents;
            if ((events & (POLLERR | POLLNVAL)) != 0) client.is_gone = true;
            if ((events & (POLLIN | POLLHUP)) != 0 && client.may_read()) read_from(client);
            post(client);
            send_to(client);
        }
        clients_.remove_if([](const Client& client) { return client.is_done(); });
        if (waited_[1].revents != 0) let_in();
    }

    void wait() {
        waited_.clear();
        polled_.clear();
        waited_.push_back({.fd = mailbox_->wake.fd(), .events = POLLIN, .revents = 0});
        const bool is_resting = Clock::now() < rests_until_;
        waited_.push_back({.fd = is_resting ? -1 : socket_->fd(), .events = POLLIN, .revents = 0});
        for (Client& client : clients_) {
            const int events = (client.may_read() ? POLLIN : 0) | (client.out.empty() ? 0 : POLLOUT);
            // One that is neither read nor written to may hang up: that would wake poll again and again.
            waited_.push_back(
                {.fd = events ? client.fd.get() : -1, .events = static_cast<short>(events), .revents = 0});
            polled_.push_back(&client);
        }
        ::poll(waited_.data(), waited_.size(), is_resting ? 1'000 : -1);
    }

    void take(Mailbox::Letter& letter) {
        const auto client = std::find_if(clients_.begin(), clients_.end(),
                                         [&](const Client& one) { return one.number == letter.client; });
        if (client == clients_.end()) return;  // it has left
        --client->under_way;
        // One long answer is no sign of a slow reader.
        if (client->out.size() > most_behind) client->is_gone = true;
        if (!client->is_gone) client->out += to_json(report_of(letter.answer)) + "\n";
    }

    static void read_from(Client& client) {
        std::array<char, 4'096> bytes;
        const ssize_t count = recv(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count > 0) client.lines.add({bytes.data(), static_cast<std::size_t>(count)});
        if (count == 0) client.has_ended = true;
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) client.is_gone = true;
    }

    void post(Client& client) {
        while (client.under_way < most_under_way && !client.is_gone) {
            const auto line = client.lines.next();
            if (!line) return;
            client.heard_at = Clock::now();
            const auto reply = [mailbox = mailbox_, number = client.number](const Answer& answer) {
                mailbox->put(number, answer);
            };
            ++client.under_way;
            if (line->is_too_long)
                post_refused(inbox_, too_long_line(), reply);
            else if (!post_line(inbox_, line->text, reply))
                --client.under_way;
        }
    }

    static void send_to(Client& client) {
        if (client.out.empty() || client.is_gone) return;
        const ssize_t count =
            ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) client.out.erase(0, static_cast<std::size_t>(count));
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) client.is_gone = true;
    }

    /// A few at a time: those who are in are served in between.
    void let_in() {
        for (int k = 0; k < most_clients; ++k) {
            Descriptor fd(accept4(socket_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (fd.get() < 0) {
                // No descriptors or no memory: the socket would stay readable.
                if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ECONNABORTED)
                    rests_until_ = Clock::now() + 1s;
                return;
            }
            if (!is_of_this_user(fd.get())) continue;
            if (!has_room())
                send_away(fd.get());
            else
                clients_.emplace_back(std::move(fd), ++numbers_);
        }
    }

    bool has_room() {
        if (static_cast<int>(clients_.size()) < most_clients) return true;
        const auto silent =
            std::min_element(clients_.begin(), clients_.end(),
                             [](const Client& a, const Client& b) { return a.heard_at < b.heard_at; });
        if (silent->under_way > 0 || Clock::now() - silent->heard_at < 10s) return false;
        clients_.erase(silent);
        return true;
    }

    static void send_away(int fd) {
        const std::string text =
            to_json(report_of(
                {.done = false, .reason = "busy: as many programs as may send commands are connected"})) +
            "\n";
        [[maybe_unused]] const ssize_t count =
            ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    static constexpr std::size_t first_client = 2;  // in waited_

    const std::unique_ptr<SessionSocket> socket_;
    Inbox& inbox_;
    const std::shared_ptr<Mailbox> mailbox_;
    std::list<Client> clients_;
    std::uint64_t numbers_ = 0;
    std::vector<pollfd> waited_;
    std::vector<Client*> polled_;
    Clock::time_point rests_until_{};
};

SocketDoor::SocketDoor(std::unique_ptr<SessionSocket> socket, Inbox& inbox)
    : mailbox_(std::make_shared<Mailbox>()),
      clients_(std::make_unique<Clients>(std::move(socket), inbox, mailbox_)),
      thread_("gainstage-send", [this] { clients_->serve(); }) {}

SocketDoor::~SocketDoor() {
    mailbox_->is_closed = true;
    mailbox_->wake.call();
    thread_.join();
}

}  // namespace gainstage
