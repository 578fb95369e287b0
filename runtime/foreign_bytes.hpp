#pragma once
/// What the bytes of somebody else's file are, for messages that name the cause.

#include <string>
#include <string_view>

namespace gainstage {

/// Names a thing that is often saved under the name of another: "a web page, not the file itself; download
/// the file again". Looks at the first bytes only. Empty: nothing that we know.
std::string impostor(std::string_view head);

/// "a sound file (WAV)", "a MIDI file", by the first bytes. Empty: neither.
std::string sound_or_midi(std::string_view head);

/// Names what stands where a sound belongs and can't be read as one: "an MP4 file (AAC or ALAC, .m4a);
/// convert it: ...". Empty: none that we know.
std::string foreign_sound(std::string_view head);

/// Names a model of another program, with the way to play it: "a PyTorch checkpoint, ...; convert it with
/// ...". Empty: none that we know.
std::string model_of_others(std::string_view head);

/// Names our own model file, by its first bytes: one that stands where a patch belongs. Empty: none.
std::string model_in_place_of_a_patch(std::string_view head);

/// Names text that stands where a model belongs: a patch, or other text.
std::string text_in_place_of_a_model(std::string_view head);

/// Names JSON text, which servers send in place of a file that they don't have. Not for files that may be
/// JSON. Empty: none.
std::string json_page(std::string_view head);

/// Why the bytes are no text of ours: UTF-16, an impostor, a binary file. Empty: they may be text.
std::string no_text(std::string_view bytes);

/// Without the byte-order mark of UTF-8 that spreadsheets and editors of Windows write.
std::string_view without_mark(std::string_view text);

/// Takes the first line off `text`, without its end. A line ends in LF, CR LF, or CR alone.
std::string_view take_line(std::string_view& text);

/// The text with LF instead of every CR that stands alone. Lines and columns stay what they are.
std::string with_line_feeds(std::string_view text);

/// Names a typographic character at the beginning of `text` that an office program, a chat or a web page put
/// there in place of the ASCII one, or a keyboard of another script: "a curly quotation mark (“); write a
/// straight one: \"". Empty: none.
std::string typographic(std::string_view text);

}  // namespace gainstage
