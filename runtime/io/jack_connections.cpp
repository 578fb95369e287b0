#include "runtime/io/jack_connections.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

namespace gainstage {

namespace {

std::string own_prefix(jack_client_t* client) {
    return std::string(jack_get_client_name(client)) + ":";
}

/// A short name is one of our own ports: after the server's return the client may be called otherwise.
std::string whole_name(jack_client_t* client, const std::string& port) {
    return port.find(':') == std::string::npos ? own_prefix(client) + port : port;
}

PortConnections connections_of(jack_client_t* client, jack_port_t* port) {
    PortConnections found;
    const std::string prefix = own_prefix(client);
    const char** const names = jack_port_get_all_connections(client, port);
    for (const char** name = names; name && *name; ++name) {
        const std::string other = *name;
        found.push_back({.own = jack_port_short_name(port),
                         .other = other.starts_with(prefix) ? other.substr(prefix.size()) : other});
    }
    if (names) jack_free(names);
    return found;
}

bool are_there(jack_client_t* client, const PortConnection& one) {
    return jack_port_by_name(client, whole_name(client, one.own).c_str()) &&
           jack_port_by_name(client, whole_name(client, one.other).c_str());
}

/// REQUIRES: both ports are there.
bool connects(jack_client_t* client, const PortConnection& wanted) {
    const std::string own = whole_name(client, wanted.own), other = whole_name(client, wanted.other);
    const bool sends = (jack_port_flags(jack_port_by_name(client, own.c_str())) & JackPortIsOutput) != 0;
    const int status = jack_connect(client, (sends ? own : other).c_str(), (sends ? other : own).c_str());
    return status == 0 || status == EEXIST;
}

bool has_connection(const PortConnections& all, const PortConnection& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

void JackConnections::want(const PortConnections& wanted) {
    wanted_ = wanted;
    note_change();
}

void JackConnections::look(jack_client_t* client, const std::vector<jack_port_t*>& own) {
    has_changed_.store(false, std::memory_order_relaxed);  // what comes now is for the next look
    PortConnections now;
    for (jack_port_t* const port : own)
        for (PortConnection& one : connections_of(client, port)) now.push_back(std::move(one));
    const auto is_gone = [&](const PortConnection& one) {
        return !jack_port_by_name(client, whole_name(client, one.other).c_str());
    };
    for (const PortConnection& one : present_)
        if (!has_connection(now, one) && !has_connection(wanted_, one) && is_gone(one))
            wanted_.push_back(one);
    present_ = std::move(now);
    std::erase_if(wanted_, [&](const PortConnection& one) {
        if (has_connection(present_, one)) return true;
        if (!are_there(client, one)) return false;
        if (!connects(client, one)) {  // its program has not started to play yet
            note_change();
            return false;
        }
        present_.push_back(one);
        return true;
    });
}

PortConnections JackConnections::all() const {
    PortConnections all = present_;
    all.insert(all.end(), wanted_.begin(), wanted_.end());
    return all;
}

}  // namespace gainstage
