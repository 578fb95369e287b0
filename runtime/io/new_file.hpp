#pragma once
/// The one road for files that Gainstage writes: made beside their place, whole on the disk, and only then
/// named. What had the name before is there until then, and stays if anything fails.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/file_place.hpp"

namespace gainstage {

/// How a file comes into being.
struct FileManner {
    enum class Growth {
        /// Can be made again (a render, a copy of a model): it grows under a hidden random name, and nothing
        /// is left of it without finish(). What a killed program leaves is removed by the next of that name.
        hidden,
        /// Can't be repeated (a recording, a log): it grows as `take.unfinished.wav`, locked by flock(2), and
        /// stays there whatever happens.
        visible
    };
    Growth growth = Growth::hidden;
    bool may_replace = true;  ///< false: a file that has the name at the end keeps it
    bool is_private = false;  ///< nobody else may read it when it is whole

    friend bool operator==(const FileManner&, const FileManner&) = default;
};

/// What is told of a file that is_deleted(), after its name.
inline constexpr const char* deleted_while_it_grew =
    ": somebody has deleted it while it grew, and what was in it is lost; end this take and begin another";

/// Control thread, or one other. Errors are thrown as WriteError. Character devices (/dev/null) are written
/// to as they are; pipes, sockets and disks are refused. Nobody else may read the file before it is whole.
class NewFile {
public:
    /// Follows links as find_file_place() does: what the last one names is replaced, and the link stays.
    explicit NewFile(const std::string& file, FileManner = {});
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    /// Open for writing, and for reading where it is a file, until finish().
    int fd() const noexcept { return fd_.get(); }
    /// Where the file grows; "" where it is written in place, or finished.
    std::string growing() const { return growing_.empty() ? growing_ : place_.path_of(growing_); }
    /// Refuses what has no room on the disk, or is longer than a file can be there.
    void must_have_room(std::int64_t bytes) const;
    /// All of `text`. False: errno says why not.
    bool append(std::string_view text) noexcept;
    /// What is written survives a power cut from here on. False: errno says why not.
    bool sync() noexcept;
    /// Somebody has deleted it while it grows: what is in it is lost.
    bool is_deleted() const noexcept;
    /// All is written: onto the disk, and then into its place. Returns where the file lies: another path than
    /// the one that was given only if somebody has moved the folder. If it can't have its place, it is kept,
    /// and the error says where.
    std::string finish();
    /// It can't be finished: throws. If it can't be repeated either, it stays, and the error says where.
    [[noreturn]] void fail(const std::string& cause);
    /// Nothing is worth keeping.
    void discard() noexcept;

private:
    void open_in_place();
    void open_beside();
    bool make(const std::string& name);
    [[noreturn]] void keep(const std::string& cause);
    [[noreturn]] void keep(int error);
    void show();
    void take_name();
    void sync_folder() noexcept;
    std::string where_it_lies(const struct stat& written) const;
    std::string path_now(const std::string& name) const;

    const std::string file_;  // as given, for messages
    const FileManner manner_;
    FilePlace place_;
    std::string growing_;  // its name while it grows; empty: written in place, or finished
    Descriptor fd_;
    unsigned mode_ = 0;  // of the finished file
};

/// The number, from 1 on, with which none of these names (see numbered_name()) has a regular file, nor a
/// program at work that will give it one. Empty names are passed over.
int first_free_number(const std::vector<std::string>& files);

/// Files of earlier takes with this name, or with a number after it, that were never finished: their program
/// is gone.
std::vector<std::string> unfinished_files(const std::string& file);

/// Throws WriteError if one of the outputs is one of the inputs, or if two outputs are one file: by device
/// and inode, however it is reached. Names of files that aren't there yet are compared by their place.
void must_differ(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs);

}  // namespace gainstage
